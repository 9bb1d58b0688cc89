import ArgumentParser
import Commands
import Failures
import MPI

struct AnalyzeArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Measures what the adapters of runs have become, as JSON and CSV.",
        discussion: """
            For each site: singular values, effective ranks and norms of A, B and BA, trained and minus the start of the run; \
            correlations between sites, their principal components, overlaps of subspaces between tasks and between runs; \
            for unolora_star the scales, and distances between tasks. docs/analysis.md explains the measures and the files.
            """)

    @Argument(help: ArgumentHelp("Run directories.", valueName: "run"), completion: .directory, transform: filled)
    var directories: [String]

    @Option(
        help: ArgumentHelp(
            "The directory for the files; a new one, or that of an earlier analysis, which is replaced.",
            valueName: "directory"), completion: .directory, transform: filled)
    var out: String

    @Option(help: "best (the default), last, a step or a checkpoint directory.", transform: filled)
    var checkpoint = "best"

    func run() {
        Job.run("analyze") { mpi throws(Failure) in
            try AnalyzeCommand.run(
                AnalyzeCommand.Request(runs: directories, checkpoint: checkpoint, out: out), world: mpi.world)
        }
    }
}
