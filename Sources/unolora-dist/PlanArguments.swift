import ArgumentParser
import Commands
import Configuration
import Failures
import MPI
import Runs

struct PlanArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Predicts, without training, what a run needs and does.",
        discussion: """
            Memory, traffic, mixture, the time of the whole run and lines for sbatch. Times are a guess from the rate of one \
            product, unless --measure measures them on this machine: the real model, some of the run's steps and answers and \
            one checkpoint, in a temporary directory that is removed. It takes the memory of a run and some seconds, more with \
            a large model, so measure on a processor like that of the job. Under mpirun or srun the ranks are measured \
            together, with the sum over them.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Ranks of the job; default: 1, and with --measure those that mpirun or srun started.")
    var ranks: Int?

    @Option(help: "Ranks on a node; default: all ranks.")
    var ranksPerNode: Int?

    @Option(
        help: ArgumentHelp(
            "Run directory of the train command to plan for, whose token cache need not be made again; default: runs/<name of "
                + "the configuration>.", valueName: "directory"), completion: .directory, transform: filled)
    var out: String?

    @Flag(help: "Measures the times instead of guessing them.")
    var measure = false

    @Flag(help: "Prints JSON.")
    var json = false

    func run() {
        guard measure else {
            Job.alone("plan") { () throws(Failure) in
                let ranks = ranks ?? 1
                try print(
                    Plan(options.load(), ranks: ranks, ranksPerNode: ranksPerNode ?? ranks).report(of: directory))
                return 0
            }
        }
        let startup = StartupTimes()
        Job.run("plan") { mpi throws(Failure) in
            var startup = startup
            startup.finished(.mpi)
            let world = mpi.world
            let measuring = try Plan.Measuring(mpi, startup)
            let node = try world.nodeCommunicator()
            let onNode = node.size
            try node.free()
            let plan = try world.rankZeroFirst { () throws(Failure) in
                let ranks = ranks ?? world.size
                return try Plan(
                    options.load(), ranks: ranks, ranksPerNode: ranksPerNode ?? (world.size > 1 ? onNode : ranks))
            }
            let report = try plan.report(of: directory, measuring: measuring)
            if world.rank == 0 { try print(report) }
            return 0
        }
    }

    private var directory: RunDirectory { RunDirectory(TrainArguments.runDirectory(out: out, config: options.config)) }

    private func print(_ report: PlanReport) throws(Failure) { try Terminal.print(json ? report.json : report.text) }
}
