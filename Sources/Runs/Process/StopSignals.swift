import Foundation
import Synchronization

/// Why a run stops ahead of its last step.
public enum StopReason: Sendable, CaseIterable {
    /// SIGUSR1, the end of the job's time or `--stop-after`: leave together after a step and be requeued.
    case preempted
    /// SIGTERM, or SIGHUP, as when the terminal is closed: end at once.
    case terminated
    /// SIGINT: end at once.
    case interrupted

    /// The exit code of the process.
    public var exitCode: Int32 {
        switch self {
        case .preempted: 85
        case .terminated: 143
        case .interrupted: 130
        }
    }

    /// What a sum or maximum of the ranks' words asks for, each of which is 1 where a rank asks all to leave.
    package static func together(_ words: Int64) -> StopReason? { words > 0 ? .preempted : nil }
}

/// The last signal that asked to stop; 0 for none. A signal handler may only touch such a word.
private let receivedSignal = Atomic<Int32>(0)

/// When it came, in seconds of the monotonic clock.
private let receivedTime = Atomic<Int>(0)

/// For signal handlers too.
private func secondsNow() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec
}

/// Notes SIGUSR1, which the training loop asks for in each step, and SIGTERM, SIGHUP and SIGINT, on which
/// `HealthMonitor` acts at once.
public enum StopSignals {
    private static let numbers = [SIGUSR1, SIGTERM, SIGHUP, SIGINT]

    /// Installs the handlers. A second SIGTERM, SIGHUP or SIGINT ends the process at once, but not within two seconds:
    /// launchers and schedulers send the same one twice, and the first is to be obeyed meanwhile.
    public static func install() {
        // nohup starts a process that is to ignore SIGHUP.
        for number in numbers where number != SIGHUP || !isIgnored(SIGHUP) {
            handle(number) { number in
                let before = receivedSignal.load(ordering: .relaxed)
                // A request to end stays one.
                guard before == 0 || before == SIGUSR1 else {
                    if number != SIGUSR1, secondsNow() - receivedTime.load(ordering: .relaxed) >= 2 {
                        _exit(128 + number)
                    }
                    return
                }
                receivedTime.store(secondsNow(), ordering: .relaxed)
                // Another one may have come in the middle of this handler; a request to end stays one.
                let (isNoted, now) = receivedSignal.compareExchange(
                    expected: before, desired: number, ordering: .relaxed)
                if !isNoted, now == SIGUSR1 { receivedSignal.store(number, ordering: .relaxed) }
            }
        }
        unblock(numbers)
    }

    /// Lets SIGQUIT end the process without the backtrace of a crash, which it is none.
    package static func quitAtOnce() {
        handle(SIGQUIT) { number in _exit(128 + number) }
        unblock([SIGQUIT])
    }

    private static func handle(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        action.sa_flags = Int32(SA_RESTART)
        sigaction(number, &action, nil)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Lets the signals through where the process that started this one had blocked them, as its children inherit.
    private static func unblock(_ numbers: [Int32]) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// From here on SIGTERM, SIGHUP and SIGINT end the process by themselves: nobody looks any more.
    package static func release() {
        for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
        if !isIgnored(SIGHUP) { signal(SIGHUP, SIG_DFL) }
    }

    /// Whether SIGUSR1 asked to leave after a step.
    static var asksToLeave: Bool { receivedSignal.load(ordering: .relaxed) == SIGUSR1 }

    /// Number of the signal that asked to end at once, if one came: SIGTERM, SIGHUP or SIGINT.
    package static var ending: Int32? {
        let number = receivedSignal.load(ordering: .relaxed)
        return number == 0 || number == SIGUSR1 ? nil : number
    }
}

/// When a run should stop before its last step.
public struct StopConditions: Sendable {
    /// The wall-clock time, in seconds since 1970, at which the run should leave; nil for none.
    public var deadline: Double?
    /// Leave after so many steps are done; nil for none.
    public var afterStep: Int?

    /// Words for the user: what was asked for and has no effect.
    public private(set) var warnings: [String] = []
    /// Why the run has no time at all; nil where it had some when it started.
    public private(set) var shortage: String?

    /// Creates conditions.
    public init(deadline: Double? = nil, afterStep: Int? = nil) {
        self.deadline = deadline
        self.afterStep = afterStep
    }

    /// Creates conditions from what the user and the scheduler say.
    ///
    /// An end in the past is not this job's any more, since the job runs: SLURM sets the variable once, and a limit that is
    /// extended later does not change it.
    ///
    /// - Parameters:
    ///   - stopBefore: how many seconds ahead of the job's end to leave; nil for staying to the end.
    ///   - jobEnd: the value of SLURM_JOB_END_TIME, the job's end in seconds since 1970; nil when it is not set.
    ///   - now: the present time in seconds since 1970.
    public init(
        stopBefore: Double?, jobEnd: String?, afterStep: Int?, now: Double = Date().timeIntervalSince1970
    ) {
        self.init(afterStep: afterStep)
        guard let stopBefore else { return }
        let given = jobEnd.flatMap(Double.init).flatMap { $0.isFinite ? $0 : nil }
        guard let end = given, end > now else {
            let reason =
                if let end = given {
                    "is \(Self.seconds(now - end)) in the past although the job runs, as when its time limit was extended; "
                        + "SIGUSR1 makes it leave too (--signal=USR1@120)"
                } else {
                    jobEnd.map { "is \"\($0.shown)\", not seconds since 1970" } ?? "is not set"
                }
            warnings = [
                "train.stopBefore has no effect: the end of the job is unknown, since SLURM_JOB_END_TIME \(reason)"
            ]
            return
        }
        deadline = end - stopBefore
        if end - stopBefore <= now {
            shortage =
                "SLURM_JOB_END_TIME leaves this job \(Self.seconds(end - now)), not more than train.stopBefore, "
                + "\(Self.seconds(stopBefore)); nothing is trained: give it more time (--time) or lower train.stopBefore"
        }
    }

    private static func seconds(_ count: Double) -> String { String(format: "%.0f s", count) }

    /// What this rank asks for in the step that makes `step` steps done.
    package func request(completing step: Int) -> StopReason? {
        if let request { return request }
        if let afterStep, step >= afterStep { return .preempted }
        return nil
    }

    /// What SIGUSR1 or the end of the job's time asks for now, whatever the step.
    package var request: StopReason? {
        if StopSignals.asksToLeave { return .preempted }
        if let deadline, Date().timeIntervalSince1970 >= deadline { return .preempted }
        return nil
    }
}
