public import ArgumentParser
import Benchmarks
import Configuration
import Failures
import Kernels
import MPI
import Training

extension WeightFormat: ExpressibleByArgument {}
extension ModelProducts: ExpressibleByArgument {}
extension ReductionChoice: ExpressibleByArgument {}
extension FrozenPart: ExpressibleByArgument {}

/// Options for choosing what computes the products with frozen weights.
struct ProductOptions: ParsableArguments {
    @Option(help: "Products with frozen weights: auto, openblas, onednn or tiles.")
    var gemm = "auto"

    @Option(help: "As model.products: float32, bf16x3, bfloat16, fast, int8, int8Forward or int8Backward.")
    var products = ModelProducts.float32

    @Option(help: "Number format of the forward's products: float32 or int8.")
    var forward: EightBits?

    @Option(help: "Number format of the input gradients' products: float32 or int8.")
    var backward: EightBits?

    @Option(help: "How frozen weights are stored: float32 or bfloat16.")
    var weights = WeightFormat.float32

    func validate() throws {
        guard gemm == "auto" || ProductBackend(rawValue: gemm) != nil else {
            throw ValidationError("--gemm must be auto, openblas, onednn or tiles")
        }
        guard products == .float32 || (forward == nil && backward == nil) else {
            throw ValidationError("--products says the format of both directions; leave out --forward and --backward")
        }
    }

    /// The products of both directions.
    var both: ModelProducts {
        switch (forward, backward) {
        case (.int8, .int8): .int8
        case (.int8, _): .int8Forward
        case (_, .int8): .int8Backward
        default: products
        }
    }

    func workload(model: String) throws(Failure) -> Workload {
        let named = forward == nil && backward == nil ? "--products" : "the products of --forward and --backward,"
        let backend = try ProductBackend(
            name: gemm, asking: "--gemm", products: both, named: named, keeping: weights)
        var workload = Workload(model: model, products: backend)
        workload.packs = backend.packs(both)
        workload.format = weights
        return workload
    }
}

/// The values of `--forward` and `--backward`.
enum EightBits: String, ExpressibleByArgument, CaseIterable {
    case float32
    case int8
}

/// Refuses a value of an option that is less than 1, or more than the trainer takes: such threads or memory would never be there.
func require(_ option: String, _ value: Int, atMost limit: Int) throws {
    guard (1...limit).contains(value) else { throw ValidationError("\(option) must be from 1 to \(limit)") }
}

/// Options for what is trained and how a step is computed.
struct WorkloadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Hugging Face T5 directory, e.g. from unolora-dist new-model.", valueName: "directory"))
    var model: String

    @Option(help: "Name of a method, as the key method.")
    var method = "unolora"

    @Option(help: "Rank of a low-rank adapter.")
    var rank = 8

    @Option(help: "Part of a low-rank adapter that stays as it began; may be repeated.")
    var freeze: [FrozenPart] = []

    @Option(help: "exact or fast: how gradients are summed, as parallel.reduction.")
    var reduction = ReductionChoice.exact

    @Flag(inversion: .prefixedNo, help: "Sum complete gradients over the ranks while others are computed.")
    var overlap = true

    @Option(help: "Examples in a step.")
    var batch = 32

    @Option(help: "Examples in a micro-batch.")
    var micro = 4

    @Option(help: "Workers of each rank.")
    var threads = 2

    @Option(help: "Dropout at T5's places and in the adapter.")
    var dropout = 0.1

    @OptionGroup var products: ProductOptions

    func validate() throws {
        try require("--rank", rank, atMost: Limits.rank)
        try require("--batch", batch, atMost: Limits.batch)
        try require("--micro", micro, atMost: Limits.microBatch)
        try require("--threads", threads, atMost: Limits.threads)
        guard (0..<1).contains(dropout) else { throw ValidationError("--dropout must be from 0 to below 1") }
    }

    /// `threadLevel`: which threads may call MPI.
    func workload(_ threadLevel: MPIEnvironment.ThreadLevel = .funneled) throws(Failure) -> Workload {
        guard method != "full" || products.both == .float32 else {
            throw Failure(
                .usage,
                "products in \(products.both.rawValue) are for frozen weights, and --method full has none; leave them in float32"
            )
        }
        var workload = try products.workload(model: model)
        workload.method = method
        workload.rank = rank
        workload.frozen = Set(freeze)
        workload.gradientSum = reduction.sum
        workload.overlaps = overlap && threadLevel == .multiple
        workload.batch = batch
        workload.micro = micro
        workload.threads = threads
        workload.dropout = dropout
        return workload
    }
}

/// Options of benchmarks that make steps, and the number of steps.
struct StepOptions: ParsableArguments {
    @OptionGroup var workload: WorkloadOptions

    @Option(help: ArgumentHelp("JSON list of [source, target] token counts.", valueName: "file"))
    var lengths: String

    @Option(help: "Measured steps, after two that are not measured.")
    var steps = 10

    func validate() throws {
        guard steps >= 1 else { throw ValidationError("--steps must be at least 1") }
    }
}
