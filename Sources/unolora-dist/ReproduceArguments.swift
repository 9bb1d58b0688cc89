import ArgumentParser
import Commands
import Failures
import MPI
import Runs

struct ReproduceArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce",
        abstract: "Repeats the training of a run from its start and says whether the bits are the same.",
        discussion: """
            Any number of ranks may do it. It compares weights and moments at the run's newest checkpoint and the lines of \
            metrics.jsonl about training up to there. With --steps it ends at the last step of at most so many of which \
            there is a checkpoint or a line; without a checkpoint of that step it compares the lines alone. The run is not \
            changed. A replay that was stopped continues when the same command is given again.
            """)

    @Argument(help: ArgumentHelp("Run directory.", valueName: "run"), completion: .directory, transform: filled)
    var directory: String

    @Option(help: ArgumentHelp("Replays at most this many steps.", valueName: "n"))
    var steps: Int?

    @Option(
        help: ArgumentHelp(
            "Run directory of the replay, which is kept; for a run that you may not write to. Default: RUN/replay, which is "
                + "removed at the end.",
            valueName: "dir"),
        completion: .directory, transform: filled)
    var out: String?

    @OptionGroup var place: ModelPlace

    func validate() throws {
        guard steps.map({ $0 >= 1 }) ?? true else { throw ValidationError("--steps must be at least 1") }
    }

    func run() {
        var startup = StartupTimes()
        StopSignals.install()
        Job.run("reproduce") { mpi throws(Failure) in
            startup.finished(.mpi)
            let request = ReproduceCommand.Request(path: directory, steps: steps, out: out, model: place.model)
            return try ReproduceCommand(request, world: mpi.world, library: mpi.library)(startup: startup)
        }
    }
}
