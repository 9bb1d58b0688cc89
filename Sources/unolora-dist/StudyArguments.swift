import ArgumentParser
import Commands
import Failures
import Foundation
import MPI
import Runs

struct StudyArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "study", abstract: "Trains all runs of a study and compares them in a table.",
        discussion: """
            docs/studies.md describes the file. Runs that are finished are not repeated, and others continue: the same \
            command may be given again at any time, also after a kill. Under mpirun or srun, and in a SLURM array, the runs \
            are shared out. The exit code is that of the first run that failed, and 85 while another job trains a run.
            """,
        subcommands: [RunStudy.self, PlanStudy.self], defaultSubcommand: RunStudy.self)
}

struct RunStudy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Trains the runs and writes the table (the default).")

    @Option(
        help: ArgumentHelp("The study (YAML).", valueName: "study.yaml"),
        completion: .file(extensions: ["yaml", "yml"]), transform: filled)
    var config: String

    @OptionGroup var overrides: Overrides

    @Option(
        help: ArgumentHelp(
            "The study's directory; made when it does not exist. Default: studies/<name of the study>.",
            valueName: "directory"), completion: .directory, transform: filled)
    var out: String?

    @Option(
        help: ArgumentHelp(
            "How long to wait at the end for runs that other jobs hold, as after a kill while they save their last step.",
            valueName: "seconds"))
    var wait = 30

    func validate() throws {
        guard (0...86_400).contains(wait) else { throw ValidationError("--wait must be from 0 to 86400 seconds") }
    }

    func run() {
        // MPI adds variables to the environment, which would confuse the processes of the runs.
        let environment = ProcessInfo.processInfo.environment
        let name = URL(fileURLWithPath: config).deletingPathExtension().lastPathComponent
        let request = StudyCommand.Request(
            config: config, out: out ?? "studies/" + name, overrides: overrides.values, environment: environment,
            patience: .seconds(wait))
        StopSignals.install()
        Job.run("study") { mpi throws(Failure) in
            try StudyCommand.run(request, world: mpi.world)
        }
    }
}

struct PlanStudy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Predicts the runs of a study, their hours and disk space; trains nothing.")

    @Option(
        help: ArgumentHelp("The study (YAML).", valueName: "study.yaml"),
        completion: .file(extensions: ["yaml", "yml"]), transform: filled)
    var config: String

    @OptionGroup var overrides: Overrides

    @Flag(
        help: "Measures the times on this machine instead of guessing them, for each line, in some seconds (help plan)."
    )
    var measure = false

    func run() {
        guard measure else {
            Job.alone("study plan") { () throws(Failure) in
                try Terminal.print(StudyCommand.plan(config, overrides: overrides.values))
                return 0
            }
        }
        let startup = StartupTimes()
        Job.run("study plan") { mpi throws(Failure) in
            var startup = startup
            startup.finished(.mpi)
            guard mpi.world.size == 1 else {
                throw Failure(
                    .usage, "study plan --measure measures runs of one process; start it without mpirun or srun")
            }
            let measuring = try Plan.Measuring(mpi, startup)
            try Terminal.print(StudyCommand.plan(config, overrides: overrides.values, measuring: measuring))
            return 0
        }
    }
}
