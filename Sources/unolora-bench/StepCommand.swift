import ArgumentParser
import Benchmarks
import Commands
import Failures
import MPI

struct StepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step", abstract: "Whole training steps on examples of given lengths; alone or under mpirun.")

    @OptionGroup var options: StepOptions

    func run() {
        Job.run(UnoloraBench.commandLine) { environment throws(Failure) in
            let report = try StepBenchmark(
                options.workload.workload(environment.threadLevel), lengths: options.lengths, steps: options.steps,
                world: environment.world)()
            if environment.world.rank == 0 { try printJSON(report) }
            return 0
        }
    }
}

struct ReduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reduce",
        abstract: "The exact sum of a step over threads and ranks beside the step; alone or under mpirun.")

    @OptionGroup var options: StepOptions

    func run() {
        Job.run(UnoloraBench.commandLine) { environment throws(Failure) in
            let report = try ReduceBenchmark(
                options.workload.workload(environment.threadLevel), lengths: options.lengths, steps: options.steps,
                world: environment.world)()
            if environment.world.rank == 0 { try printJSON(report) }
            return 0
        }
    }
}
