import Configuration
import Failures
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
    private let states: RunStates
    /// All runs of the study, whose numbers are shown.
    private let all: [StudyRun]
    /// The runs of this process.
    private let own: [StudyRun]
    private let parallel: Int
    private let threads: Int
    private let program: String
    private let environment: [String: String]
    /// How long to wait at the end for a run that another job holds.
    private let patience: Duration
    /// Text before each line that is printed.
    private let prefix: String

    /// - Parameters:
    ///   - share: the runs of this process.
    ///   - program: the path of `unolora-dist`.
    ///   - environment: that of the processes.
    package init(
        _ directory: StudyDirectory, states: RunStates, study: Study, share: Share, threads: Int, program: String,
        environment: [String: String], patience: Duration, prefix: String = ""
    ) {
        self.directory = directory
        self.states = states
        all = study.runs
        own = share.runs(of: study.runs)
        parallel = study.file.parallel
        self.threads = threads
        self.program = program
        self.environment = environment
        self.patience = patience
        self.prefix = prefix
    }

    /// Runs until all runs of the study have ended, are held by other jobs, or the study must leave. After its own runs a process
    /// takes over those of others that nobody holds, so that a study is finished as long as one process lives. A run that is
    /// finished is not started, and counts as failed if another configuration has made it; one that failed earlier is tried again.
    /// A run that begins with the adapter of another one waits for it, whichever process trains that one. A signal is passed on to
    /// all processes, whose last checkpoints are waited for.
    package func callAsFunction() -> Ending {
        let finished = own.count { states.state($0) == .finished }
        if finished > 0 { say("\(finished) of \(own.count) runs were finished before") }
        var choice = RunChoice(own, of: all, states: states, in: directory)
        var ending = Ending()
        var running: [RunProcess] = []
        var sent: Int32 = 0
        var (looksAgain, idleSince): (ContinuousClock.Instant, ContinuousClock.Instant?) = (.now, nil)
        var awaited: StudyRun?
        while true {
            if let signal = Self.request, signal != sent {
                sent = signal
                ending.stopped = StopReason.of(signal).exitCode
                if !running.isEmpty { say("stopping: \(running.count) run(s) save their last step") }
                for process in running { process.send(signal) }
            }
            var going: [RunProcess] = []
            for process in running {
                guard let end = process.end() else {
                    going.append(process)
                    continue
                }
                note(process, end, &choice, &ending)
                looksAgain = .now
            }
            running = going
            while ending.stopped == nil, running.count < parallel, looksAgain <= .now {
                let own = choice
                let next = choice.next(running: Set(running.map(\.run.name))) { run, state in
                    if own.isOwn(run) { note(run, state, &ending) }
                }
                guard case .start(let run) = next else {
                    // Others may end or leave a run at any time.
                    looksAgain = .now + .milliseconds(500)
                    if case .wait(let run) = next, awaited != run {
                        awaited = run
                        say("waiting for \(run.name), with whose adapter others begin")
                    }
                    guard running.isEmpty else { break }
                    switch next {
                    case .start, .wait, .pause: idleSince = nil
                    case .nothing: return ending
                    case .held(let runs):
                        let begun = idleSince ?? .now
                        idleSince = begun
                        guard begun.duration(to: .now) >= patience else { break }
                        for run in runs where choice.isOwn(run) { say("\(place(run)) left to the job that holds it") }
                        return ending
                    }
                    break
                }
                idleSince = nil
                try? FileManager.default.removeItem(atPath: directory.failure(run))
                do throws(Failure) {
                    running.append(
                        try RunProcess(run, in: directory, program: program, threads: threads, environment: environment)
                    )
                    let whose = choice.isOwn(run) ? "" : ", taken over from another process of the study"
                    say("\(place(run)) started, \(run.configuration.steps) steps\(whose)")
                } catch {
                    // The other runs go on, and those that can be started are.
                    noteFailure(of: run, error.code.rawValue, error.message, &choice, &ending)
                }
            }
            if running.isEmpty, ending.stopped != nil { return ending }
            usleep(50_000)
        }
    }

    /// The signal that asks the study to leave; nil for none.
    static var request: Int32? { StopSignals.ending ?? (StopSignals.asksToLeave ? SIGUSR1 : nil) }

    /// Notes how a process ended.
    private func note(
        _ process: RunProcess, _ end: RunProcess.End, _ choice: inout RunChoice, _ ending: inout Ending
    ) {
        let run = process.run
        switch end {
        case .finished:
            // The next choice finds out whether the run is the one that the study asks for, and takes it out.
            let seconds = ProgressLine.seconds(process.begun.duration(to: .now))
            say("\(place(run)) finished, \(String(format: "%.0f", seconds)) s")
        case .stopped(let code):
            // A run that leaves by itself knows the end of the job's time, which is also that of the others.
            ending.stopped = ending.stopped ?? code
            say("\(place(run)) stopped at step \(RunStatus.read(directory.run(run))?.lastDurableStep ?? 0)")
        case .held:
            // The other job began at the same moment.
            break
        case .failed(let code, let sentence):
            noteFailure(of: run, code, sentence, &choice, &ending)
        }
    }

    /// Notes that a run has failed, or could not be started.
    private func noteFailure(
        of run: StudyRun, _ code: Int32, _ sentence: String, _ choice: inout RunChoice, _ ending: inout Ending
    ) {
        choice.settle(run)
        // A machine that cannot run them must not make all runs of the study fail.
        if code == ExitCode.systemRefused.rawValue { choice.keepToOwn() }
        ending.failed = ending.failed ?? code
        complain("\(place(run)) failed (\(code)): \(sentence)")
        do throws(Failure) {
            try directory.write(sentence + "\n", to: directory.failure(run))
        } catch {
            complain("\(place(run)) \(error.message)")
        }
    }

    /// Notes what the files say about a run that has ended.
    private func note(_ run: StudyRun, _ state: RunStates.State, _ ending: inout Ending) {
        let code: Int32
        switch state {
        case .finished, .open, .waiting: return
        case .failed:
            // Another process has failed at it in the meantime; a run that was killed has no code.
            let status = RunStatus.read(directory.run(run))
            code = (status?.state == .failed ? status?.exitCode : nil) ?? ExitCode.rankLost.rawValue
        case .unreachable: code = ExitCode.inputMissing.rawValue
        case .other: code = ExitCode.badConfiguration.rawValue
        }
        ending.failed = ending.failed ?? code
        if let reason = state.reason { complain("\(place(run)) \(reason)") }
    }

    /// The text before what is said about a run.
    private func place(_ run: StudyRun) -> String {
        let number = all.firstIndex { $0.name == run.name } ?? 0
        return "[\(number + 1)/\(all.count)] \(run.name):"
    }

    private func say(_ line: String) { Terminal.say(prefix + line) }

    private func complain(_ line: String) { Terminal.complain(prefix + line) }
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
