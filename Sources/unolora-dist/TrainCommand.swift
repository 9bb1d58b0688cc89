import ArgumentParser
import Configuration
import Failures
import Foundation
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

    @Option(help: ArgumentHelp("Run directory; made when it does not exist.", valueName: "directory"))
    var out: String?

    @Option(help: "Continue from the newest intact checkpoint (auto), from none (never), or from best, last, a step, a path.")
    var resume = "auto"

    @Option(help: ArgumentHelp("Leave after this step as if preempted (exit code 85).", valueName: "step"))
    var stopAfter: Int?

    func run() {
        StopSignals.install()
        Job.run { world throws(Failure) in
            guard let config else {
                throw Failure(.usage, "no config")
            }
            let configuration = try RunConfiguration.load(file: config, overrides: overrides)
            let request = TrainRun.Request(
                out: out ?? "run", resume: ResumeChoice(resume), stop: StopConditions(afterStep: stopAfter))
            return try TrainRun(configuration, request, world: world)()
        }
    }
}
