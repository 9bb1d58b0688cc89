import ArgumentParser
import Commands
import Configuration
import Failures
import Foundation
import MPI
import Runs

struct TrainArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains an adapter; without --config the embedded example.",
        discussion: """
            What is trained, on what and how long, is in the configuration, a YAML file, each key of which can be changed by \
            --set. `unolora-dist keys` prints all keys, `unolora-dist keys lora` those of a section; docs/configuration.md has \
            them as a page.
            """)

    @Option(
        help: ArgumentHelp("Configuration (YAML).", valueName: "run.yaml"),
        completion: .file(extensions: ["yaml", "yml"]), transform: filled)
    var config: String?

    @OptionGroup var overrides: Overrides

    @Option(
        help: ArgumentHelp(
            "Run directory; made when it does not exist. Default: runs/<name of the configuration>.",
            valueName: "directory"), completion: .directory, transform: filled)
    var out: String?

    @Option(
        help: ArgumentHelp(
            "auto: the newest intact checkpoint of the run directory, if there is one; never; or best, last, a step, a path.",
            valueName: "auto/never/CHECKPOINT"), transform: filled)
    var resume = "auto"

    @Option(
        help: ArgumentHelp(
            "Begin with this adapter instead of a random one: a run, a checkpoint, an adapter's directory, or a LoRA adapter of "
                + "PEFT (--set init.from).", valueName: "RUN/ADAPTER"), completion: .directory, transform: filled)
    var initFrom: String?

    @Option(help: ArgumentHelp("Leave after this step as if preempted (exit code 85).", valueName: "step"))
    var stopAfter: Int?

    @Option(
        help: ArgumentHelp(
            "The process of the study to which the run belongs; when it is gone, the run saves its last step and ends.",
            valueName: "process", visibility: .hidden))
    var parent: Int32?

    func validate() throws {
        guard stopAfter.map({ $0 >= 1 }) ?? true else { throw ValidationError("--stop-after must be at least 1") }
    }

    func run() {
        var startup = StartupTimes()
        StopSignals.install()
        if let parent { StopSignals.end(with: parent) }
        Job.run("train") { mpi throws(Failure) in
            startup.finished(.mpi)
            do throws(Failure) {
                return try train(mpi, startup)
            } catch {
                guard config == nil else { throw error }
                throw EmbeddedExample.explain(error, in: Self.runDirectory(out: out, config: nil) + "/example")
            }
        }
    }

    private func train(_ mpi: borrowing MPIEnvironment, _ startup: StartupTimes) throws(Failure) -> Int32 {
        let world = mpi.world
        let directory = Self.runDirectory(out: out, config: config)
        let options: [(option: String, assignment: String)] =
            initFrom.map { [("--init-from \($0)", "init.from=\($0)")] } ?? []
        let configuration = try world.rankZeroFirst { () throws(Failure) in
            guard let config else {
                return try EmbeddedExample.configuration(
                    in: RunDirectory(directory), overrides: overrides.values, options: options)
            }
            return try RunConfiguration.load(file: config, overrides: overrides.values, options: options)
        }
        let environment = ProcessInfo.processInfo.environment
        let stop = StopConditions(
            stopBefore: configuration.stopBefore, jobEnd: environment["SLURM_JOB_END_TIME"], afterStep: stopAfter)
        // After SLURM has restarted the job, ranks on a node that was cut off may still be running and hold the run directory
        // until parallel.stallTimeout ends them.
        let isRestarted = environment["SLURM_RESTART_COUNT"].flatMap { Int($0) } ?? 0 > 0
        // The run of a study that was killed may still be saving its last step.
        let patience = Duration.seconds(isRestarted ? 180 : parent == nil ? 2 : 30)
        let request = TrainCommand.Request(
            out: directory, source: config, isExample: config == nil, resume: ResumeChoice(resume), stop: stop,
            patience: patience, leavesFinished: parent != nil)
        var run = TrainCommand(configuration, request, world: world, library: mpi.library, startup: startup)
        return try run()
    }

    /// The run directory: the given one, or one with the name of the configuration.
    static func runDirectory(out: String?, config: String?) -> String {
        let name = config.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent } ?? "embedded"
        return out ?? "runs/" + name
    }
}
