import ArgumentParser
import Configuration
import Failures
import Foundation
import MPI
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Trains an adapter; without --config the embedded example.")

    @Option(help: ArgumentHelp("Configuration (YAML).", valueName: "run.yaml"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a key, e.g. --set lora.rank=4; may be repeated.", valueName: "key=value"))
    var overrides: [String] = []

    @Option(
        help: ArgumentHelp(
            "Run directory; made when it does not exist. runs/<name of the configuration> without it.",
            valueName: "directory"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "auto: the newest intact checkpoint of the run directory, if there is one; never; or best, last, a step, a path.",
            valueName: "auto/never/CHECKPOINT"))
    var resume = "auto"

    @Option(help: ArgumentHelp("Leave after this step as if preempted (exit code 85).", valueName: "step"))
    var stopAfter: Int?

    func run() {
        StopSignals.install()
        Job.run { mpi throws(Failure) in
            let world = mpi.world
            let directory = Self.runDirectory(out: out, config: config)
            let path = try configurationPath(directory, world)
            let configuration = try world.rankZeroFirst { () throws(Failure) in
                try RunConfiguration.load(file: path, overrides: overrides)
            }
            let stop = StopConditions(
                deadline: StopConditions.deadline(
                    jobEnd: ProcessInfo.processInfo.environment["SLURM_JOB_END_TIME"],
                    stopBefore: configuration.stopBefore), afterStep: stopAfter)
            let request = TrainRun.Request(out: directory, resume: ResumeChoice(resume), stop: stop)
            var run = TrainRun(configuration, request, world: world, library: mpi.library)
            return try run()
        }
    }

    private func configurationPath(_ directory: String, _ world: Communicator) throws(Failure) -> String {
        if let config { return config }
        return try EmbeddedExample.prepare(in: directory + "/example", world: world)
    }

    /// The run directory: the given one, or one named as the configuration.
    static func runDirectory(out: String?, config: String?) -> String {
        let name = config.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent } ?? "embedded"
        return out ?? "runs/" + name
    }
}
