public import ArgumentParser
import Benchmarks
import Configuration
import Failures
import Kernels
import MPI
import Training

extension WeightFormat: ExpressibleByArgument {}
extension ReductionChoice: ExpressibleByArgument {}
extension FrozenPart: ExpressibleByArgument {}

/// Options for choosing what computes the products with frozen weights.
struct ProductOptions: ParsableArguments {
    @Option(help: "Products with frozen weights: auto, openblas or onednn.")
    var gemm = "auto"

    @Option(help: "Number format of the forward's products: float32 or int8.")
    var forward = "float32"

    @Option(help: "Number format of the input gradients' products: float32 or int8.")
    var backward = "float32"

    @Option(help: "How frozen weights are stored: float32 or bfloat16.")
    var weights = WeightFormat.float32

    func validate() throws {
        guard gemm == "auto" || ProductBackend(rawValue: gemm) != nil else {
            throw ValidationError("--gemm must be auto, openblas or onednn")
        }
        guard ProductKind(rawValue: forward) != nil, ProductKind(rawValue: backward) != nil else {
            throw ValidationError("--forward and --backward must be float32 or int8")
        }
    }

    func backend() throws(Failure) -> ProductBackend {
        let quantises = forward != "float32" ? "--forward int8" : backward != "float32" ? "--backward int8" : nil
        return try ProductBackend(name: gemm, asking: "--gemm", quantises: quantises, keeping: weights)
    }

    var packs: FrozenMatrix.Packs {
        FrozenMatrix.Packs(
            forward: ProductKind(rawValue: forward) ?? .float32,
            backward: ProductKind(rawValue: backward) ?? .float32)
    }
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
        guard rank >= 1, batch >= 1, micro >= 1, threads >= 1, (0..<1).contains(dropout) else {
            throw ValidationError(
                "--rank, --batch, --micro and --threads must be at least 1, --dropout from 0 to below 1")
        }
    }

    /// `threadLevel`: which threads may call MPI.
    func workload(_ threadLevel: MPIEnvironment.ThreadLevel = .funneled) throws(Failure) -> Workload {
        var workload = Workload(model: model, products: try products.backend())
        workload.method = method
        workload.rank = rank
        workload.frozen = Set(freeze)
        workload.gradientSum = reduction.sum
        workload.overlaps = overlap && threadLevel == .multiple
        workload.packs = products.packs
        workload.format = products.weights
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
