import ArgumentParser
import Commands
import Configuration
import Failures
import MPI
import Runs

struct VerifyArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract:
            "Replays parity cases on this build and machine, or measures what model.storage and model.products do to a model.",
        discussion: """
            A case is a directory with model/, adapter/ and case.safetensors. Prints one JSON line for each case with the \
            largest relative error of logits, encoder output, loss, every gradient and every optimiser step, and whether \
            the generated tokens are equal; for a case that cannot be replayed, the reason. The exit code is 1 when a case \
            is out of tolerance, otherwise that of the first case that cannot be replayed.

            With --config it compares the model with model.storage and model.products as configured and the model in \
            float32, on training examples of all tasks. It prints one JSON line: the relative error after every block, \
            the difference of the loss, and the cosine of the adapter's gradients. It does not judge: the exit code is \
            0 unless a number is not finite (86).
            """)

    @Option(help: "Products with frozen weights of the cases: auto (the default), openblas, onednn or tiles.")
    var gemm: ProductChoice?

    @Option(
        help: ArgumentHelp("Configuration (YAML) to measure.", valueName: "run.yaml"),
        completion: .file(extensions: ["yaml", "yml"]), transform: filled)
    var config: String?

    @Option(help: "Measures with this model.storage, whatever the configuration says: float32 or bfloat16.")
    var storage: ModelStorage?

    @Option(
        help: ArgumentHelp(
            "model.products: float32, bf16x3, bfloat16, fast, int8, int8Forward or int8Backward. Of the cases (default: "
                + "float32), or to measure with whatever the configuration says."))
    var products: ModelProducts?

    @Option(help: ArgumentHelp("The earlier name of --storage and --products.", visibility: .hidden))
    var precision: PrecisionChoice?

    @OptionGroup var overrides: Overrides

    @Option(
        help: ArgumentHelp(
            "Run directory with the checkpoint, and the token cache when data.cache is not set; default: runs/<name of the "
                + "configuration>.",
            valueName: "directory"), completion: .directory, transform: filled)
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Adapter to measure with: best, last, a step or a checkpoint directory; default: a new one.",
            valueName: "checkpoint"), transform: filled)
    var checkpoint: String?

    @Option(help: "Examples to measure on; default: 64.")
    var examples: Int?

    @Argument(help: ArgumentHelp("Case directories.", valueName: "case"))
    var cases: [String] = []

    func validate() throws {
        guard config != nil else {
            guard overrides.values.isEmpty, out == nil, checkpoint == nil, examples == nil, storage == nil,
                precision == nil
            else {
                throw ValidationError(
                    "--storage, --precision, --set, --out, --checkpoint and --examples need --config")
            }
            guard !cases.isEmpty else { throw ValidationError("it needs a case, or --config") }
            return
        }
        guard cases.isEmpty else { throw ValidationError("--config takes no cases") }
        guard gemm == nil else { throw ValidationError("with --config use --set parallel.gemm, not --gemm") }
        guard precision == nil || (storage == nil && products == nil) else {
            throw ValidationError("--precision is the earlier name of --storage and --products; remove it")
        }
        guard (examples ?? 1) >= 1 else { throw ValidationError("--examples must be at least 1") }
    }

    func run() {
        guard let config else {
            Job.alone("verify") { () throws(Failure) in
                try VerifyCommand.run(
                    cases, gemm: (gemm ?? .auto).rawValue, asking: "--gemm", products: products ?? .float32,
                    named: "--products")
            }
        }
        Job.run("verify --config") { mpi throws(Failure) in
            if let precision, mpi.world.rank == 0 {
                Terminal.complain(
                    "note: --precision is the earlier name of --storage and --products; write "
                        + precision.options.joined(separator: " "))
            }
            return try PrecisionCommand.run(
                { () throws(Failure) in
                    try RunConfiguration.load(file: config, overrides: overrides.values, options: settings)
                }, out: TrainArguments.runDirectory(out: out, config: config), checkpoint: checkpoint,
                examples: examples ?? 64, world: mpi.world)
        }
    }

    /// The keys of the configuration that options set.
    private var settings: [(option: String, assignment: String)] {
        if let precision {
            return [("--precision \(precision.rawValue)", "model.precision=\(precision.rawValue)")]
        }
        return [
            storage.map { ("--storage \($0.rawValue)", "model.storage=\($0.rawValue)") },
            products.map { ("--products \($0.rawValue)", "model.products=\($0.rawValue)") },
        ].compactMap(\.self)
    }
}
