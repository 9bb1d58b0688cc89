import ArgumentParser
import Benchmarks
import Commands
import Configuration
import Failures
import MPI

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Greedy answers of an evaluation beside training steps on the same examples; alone or under mpirun.",
        discussion: """
            The examples are random tokens with --lengths, or validation texts of the tasks of --config; apart from its \
            tasks and data, the configuration is not used. An answer ends where that of a trained adapter does: at the \
            target's length, or at the length of the task's longest answer.
            """)

    @OptionGroup var options: WorkloadOptions

    @Option(help: ArgumentHelp("JSON list of [source, target] token counts.", valueName: "file"))
    var lengths: String?

    @Option(help: ArgumentHelp("Configuration (YAML) with tasks whose texts are answered.", valueName: "run.yaml"))
    var config: String?

    @OptionGroup var overrides: Overrides

    @Option(help: "Examples to answer per task; with --lengths in total.")
    var examples = 128

    @Option(help: "Examples that are answered together.")
    var evaluationBatch = 16

    @Option(help: "Measured evaluations.")
    var repeats = 3

    func validate() throws {
        guard (lengths == nil) != (config == nil) else { throw ValidationError("give either --lengths or --config") }
        guard config != nil || overrides.values.isEmpty else { throw ValidationError("--set needs --config") }
        try require("--evaluation-batch", evaluationBatch, atMost: Limits.microBatch)
        guard examples >= 1, repeats >= 1 else {
            throw ValidationError("--examples and --repeats must be at least 1")
        }
    }

    func run() {
        Job.run(UnoloraBench.commandLine) { environment throws(Failure) in
            let world = environment.world
            let report = try GenerateBenchmark(
                options.workload(), chosen(world), limit: examples, evaluationBatch: evaluationBatch, repeats: repeats,
                world: world)()
            if world.rank == 0 { try printJSON(report) }
            return 0
        }
    }

    private func chosen(_ world: Communicator) throws(Failure) -> GenerateBenchmark.Examples {
        if let lengths { return .lengths(lengths) }
        return try world.rankZeroFirst { () throws(Failure) in
            .texts(try RunConfiguration.load(file: config, overrides: overrides.values + ["model=\(options.model)"]))
        }
    }
}
