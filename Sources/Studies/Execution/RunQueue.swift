import Configuration
package import Failures
import Foundation
import Runs

/// Runs a part of a study's runs, a number of them at once, each in a process of its own.
package struct RunQueue {
    /// How the queue ended.
    package struct Ending: Equatable {
        /// The exit code with which the study leaves before its end; nil when all runs have ended.
        package var stopped: Int32?
        /// The exit code of the first run that failed; nil when none did.
        package var failed: Int32?
    }

    private let directory: StudyDirectory
    private let runs: [StudyRun]
    private let parallel: Int
    private let threads: Int
    private let program: String
    private let environment: [String: String]
    /// Text before each line that is printed.
    private let prefix: String

    /// - Parameters:
    ///   - program: the path of `unolora-dist`.
    ///   - environment: that of the processes.
    package init(
        _ directory: StudyDirectory, runs: [StudyRun], parallel: Int, threads: Int, program: String,
        environment: [String: String], prefix: String = ""
    ) {
        self.directory = directory
        self.runs = runs
        self.parallel = parallel
        self.threads = threads
        self.program = program
        self.environment = environment
        self.prefix = prefix
    }

    /// Runs until all runs have ended or the study must leave. A run that is finished is not started, and counts as failed if
    /// another configuration has made it; one that failed earlier is tried again. A signal is passed on to all processes, whose
    /// last checkpoints are waited for.
    package func callAsFunction() throws(Failure) -> Ending {
        var waiting: ArraySlice<(offset: Int, element: StudyRun)> = []
        var finished = 0
        var ending = Ending()
        for (index, run) in runs.enumerated() {
            switch directory.state(run) {
            case .finished: finished += 1
            case .other(let sentence):
                ending.failed = ending.failed ?? ExitCode.badConfiguration.rawValue
                Terminal.complain("\(prefix)[\(index + 1)/\(runs.count)] \(run.name): \(sentence)")
            case .failed, .open: waiting.append((index, run))
            }
        }
        if finished > 0 { say("\(finished) of \(runs.count) runs were finished before") }
        var running: [(number: Int, process: RunProcess)] = []
        var sent: Int32 = 0
        while true {
            if let signal = Self.request, signal != sent {
                sent = signal
                ending.stopped = StopReason.of(signal).exitCode
                if !running.isEmpty { say("stopping: \(running.count) run(s) save their last step") }
                for (_, process) in running { process.send(signal) }
            }
            var going: [(number: Int, process: RunProcess)] = []
            for (number, process) in running {
                guard let end = process.end() else {
                    going.append((number, process))
                    continue
                }
                try note(number, process, end, &ending)
            }
            running = going
            while ending.stopped == nil, running.count < parallel, let (index, run) = waiting.popFirst() {
                try? FileManager.default.removeItem(atPath: directory.failure(run))
                let process = try RunProcess(
                    run, in: directory, program: program, threads: threads, environment: environment)
                running.append((index + 1, process))
                say("[\(index + 1)/\(runs.count)] \(run.name): started, \(run.configuration.steps) steps")
            }
            if running.isEmpty { return ending }
            usleep(50_000)
        }
    }

    /// The signal that asks the study to leave; nil for none.
    static var request: Int32? { StopSignals.ending ?? (StopSignals.asksToLeave ? SIGUSR1 : nil) }

    private func note(
        _ number: Int, _ process: RunProcess, _ end: RunProcess.End, _ ending: inout Ending
    ) throws(Failure) {
        let run = process.run
        let place = "[\(number)/\(runs.count)] \(run.name):"
        switch end {
        case .finished:
            let seconds = ProgressLine.seconds(process.begun.duration(to: .now))
            say("\(place) finished, \(String(format: "%.0f", seconds)) s")
        case .stopped(let code):
            // A run that leaves by itself knows the end of the job's time, which is also that of the others.
            ending.stopped = ending.stopped ?? code
            say("\(place) stopped at step \(RunStatus.read(directory.run(run))?.lastDurableStep ?? 0)")
        case .held(let sentence):
            ending.failed = ending.failed ?? ExitCode.cannotWrite.rawValue
            Terminal.complain("\(prefix)\(place) left to the job that holds it: \(sentence)")
        case .failed(let code, let sentence):
            ending.failed = ending.failed ?? code
            try directory.write(sentence + "\n", to: directory.failure(run))
            Terminal.complain("\(prefix)\(place) failed (\(code)): \(sentence)")
        }
    }

    private func say(_ line: String) { Terminal.say(prefix + line) }
}

extension StopReason {
    /// The reason that a signal is.
    fileprivate static func of(_ signal: Int32) -> StopReason {
        switch signal {
        case SIGUSR1: .preempted
        case SIGINT: .interrupted
        default: .terminated
        }
    }
}
