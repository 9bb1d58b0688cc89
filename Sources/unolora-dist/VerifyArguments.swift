import ArgumentParser
import Commands
import Configuration
import Failures

struct VerifyArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Replays parity cases on this build and machine, or measures what 8 bits do to a model.",
        discussion: """
            A case is a directory with model/, adapter/ and case.safetensors. Prints one JSON line for each with the \
            worst relative error of logits, encoder output, loss, every gradient and every optimiser step, and whether \
            the generated tokens are equal; of a case that cannot be replayed, why. Exit code 1 when one is out of \
            tolerance, else that of the first case that cannot be replayed.

            With --precision it compares, on training examples of all tasks of a configuration, products with frozen \
            weights of that precision with float32, and prints one JSON line: the relative error behind every block, \
            the difference of the loss, and the cosine of the adapter's gradients. It judges nothing: the exit code is \
            0 unless a number is not finite (86).
            """)

    @Option(help: "Products with frozen weights of the cases: auto (the default), openblas or onednn.")
    var gemm: ProductChoice?

    @Option(help: "Measures this model.precision instead: float32, bfloat16, int8, int8Forward or int8Backward.")
    var precision: PrecisionChoice?

    @Option(help: ArgumentHelp("Configuration (YAML) to measure.", valueName: "run.yaml"), transform: filled)
    var config: String?

    @OptionGroup var overrides: Overrides

    @Option(
        help: ArgumentHelp(
            "Run directory with the checkpoint, and the token cache when data.cache is not set; runs/<name of the "
                + "configuration> without it.",
            valueName: "directory"), transform: filled)
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Adapter to measure with: best, last, a step or a checkpoint directory; a new one without it.",
            valueName: "checkpoint"), transform: filled)
    var checkpoint: String?

    @Option(help: "Examples to measure on; 64 without it.")
    var examples: Int?

    @Argument(help: ArgumentHelp("Case directories.", valueName: "case"))
    var cases: [String] = []

    func validate() throws {
        guard precision != nil else {
            guard config == nil, overrides.values.isEmpty, out == nil, checkpoint == nil, examples == nil else {
                throw ValidationError("--config, --set, --out, --checkpoint and --examples need --precision")
            }
            guard !cases.isEmpty else { throw ValidationError("it needs a case, or --precision with --config") }
            return
        }
        guard config != nil else { throw ValidationError("--precision needs --config") }
        guard cases.isEmpty else { throw ValidationError("--precision takes a configuration, no cases") }
        guard gemm == nil else { throw ValidationError("with --precision use --set parallel.gemm, not --gemm") }
        guard (examples ?? 1) >= 1 else { throw ValidationError("--examples must be at least 1") }
    }

    func run() {
        guard let precision, let config else {
            Job.alone("verify") { () throws(Failure) in
                try VerifyCommand.run(cases, products: (gemm ?? .auto).rawValue, asking: "--gemm")
            }
        }
        Job.run("verify --precision") { mpi throws(Failure) in
            try PrecisionCommand.run(
                { () throws(Failure) in
                    try RunConfiguration.load(
                        file: config, overrides: overrides.values + ["model.precision=\(precision.rawValue)"])
                }, out: TrainArguments.runDirectory(out: out, config: config), checkpoint: checkpoint,
                examples: examples ?? 64, world: mpi.world)
        }
    }
}
