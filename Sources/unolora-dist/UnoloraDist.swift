import ArgumentParser
import Commands
import Failures
import Foundation
import MPI
import Runs

/// The program: parse, call, print. `train` is the default command.
@main
struct UnoloraDist: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unolora-dist",
        abstract: "Trains one shared LoRA adapter for many tasks on a frozen T5, data-parallel over MPI.",
        discussion: """
            Without arguments it runs the embedded example. It runs alone, as `mpirun -n 8 unolora-dist ...` and under \
            srun; the number of ranks does not change the result.

            Exit codes: \(ExitCode.list()), 130 and 143 stopped by SIGINT, SIGTERM or SIGHUP (start again).
            """,
        version: ProgramVersion.current,
        subcommands: [
            TrainArguments.self, EvaluateArguments.self, PredictArguments.self, PrepareArguments.self,
            ExportArguments.self, AnalyzeArguments.self, PlanArguments.self, StudyArguments.self, DoctorArguments.self,
            VerifyArguments.self, ReproduceArguments.self,
            KeysArguments.self, TasksArguments.self, NewModelArguments.self,
        ],
        defaultSubcommand: TrainArguments.self)

    static func main() {
        Job.prepareProcess()
        do {
            if let refusal = CommandNames.refusal(of: Array(CommandLine.arguments.dropFirst())) { throw refusal }
            var command = try parseAsRoot()
            try command.run()
        } catch {
            leaveTheWordToRankZero(exitCode(for: error).rawValue)
            exit(withError: error)
        }
    }

    /// When a launcher started several processes with the same command line, only the first one reports a mistake in it.
    private static func leaveTheWordToRankZero(_ code: Int32) {
        guard LaunchEnvironment.ofThisProcess.isLaterRank else { return }
        if code == 0 { Foundation.exit(0) }
        // The launcher ends this process when the first one fails. If it does not, only this process has the mistake and
        // reports it.
        sleep(2)
    }
}
