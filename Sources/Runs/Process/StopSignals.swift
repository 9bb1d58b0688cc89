public import Foundation
import Synchronization
import Tensors

/// Why a run stops before its last step.
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

    /// The reason that a sum or maximum of all ranks' words gives; a rank's word is 1 when it asks all ranks to leave.
    package static func together(_ words: Int64) -> StopReason? { words > 0 ? .preempted : nil }
}

/// The last signal that asked to stop; 0 for none. A signal handler may only access such an atomic word.
private let receivedSignal = Atomic<Int32>(0)

/// When the signal came, in seconds of the monotonic clock.
private let receivedTime = Atomic<Int>(0)

/// Signal handlers may call this too.
private func secondsNow() -> Int {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec
}

/// Records SIGUSR1, which the training loop checks in each step, and SIGTERM, SIGHUP and SIGINT, to which `HealthMonitor`
/// reacts at once.
public enum StopSignals {
    private static let numbers = [SIGUSR1, SIGTERM, SIGHUP, SIGINT]

    /// Installs the handlers. A second SIGTERM, SIGHUP or SIGINT ends the process at once, but only after two seconds:
    /// launchers and schedulers send the same signal twice, and the process must have time to obey the first.
    public static func install() {
        // nohup starts a process with SIGHUP ignored; it must stay ignored.
        for number in numbers where number != SIGHUP || !isIgnored(SIGHUP) {
            handle(number) { number in
                let before = receivedSignal.load(ordering: .relaxed)
                // A request to end is never replaced by another signal.
                guard before == 0 || before == SIGUSR1 else {
                    if number != SIGUSR1, secondsNow() - receivedTime.load(ordering: .relaxed) >= 2 {
                        LiveLine.endInHandler()
                        _exit(128 + number)
                    }
                    return
                }
                receivedTime.store(secondsNow(), ordering: .relaxed)
                // Another signal may have arrived during this handler; a request to end is not replaced.
                let (isNoted, now) = receivedSignal.compareExchange(
                    expected: before, desired: number, ordering: .relaxed)
                if !isNoted, now == SIGUSR1 { receivedSignal.store(number, ordering: .relaxed) }
            }
        }
        unblock(numbers)
    }

    /// Makes SIGQUIT end the process without the backtrace of a crash, since it is not a crash.
    package static func quitAtOnce() {
        handle(SIGQUIT) { number in
            LiveLine.endInHandler()
            _exit(128 + number)
        }
        unblock([SIGQUIT])
    }

    /// Makes SIGTERM, SIGHUP and SIGINT end the process at once with the documented code, for a command that has nothing to save.
    package static func endAtOnce() {
        let ending = [SIGTERM, SIGHUP, SIGINT].filter { $0 != SIGHUP || !isIgnored(SIGHUP) }
        for number in ending {
            handle(number) { number in
                LiveLine.endInHandler()
                _exit(number == SIGINT ? 130 : 143)
            }
        }
        unblock(ending)
    }

    /// Makes the end of the process that started this one the same as SIGTERM; `parent` is its number.
    public static func end(with parent: Int32) {
        Thread.detachNewThread {
            // A process whose parent has ended gets another parent.
            while getppid() == parent { usleep(200_000) }
            // A parent that passed on a signal to end may itself end before this process has: a second signal after two seconds
            // would cut off the saving of the last step.
            if ending == nil { kill(getpid(), SIGTERM) }
        }
    }

    private static func handle(_ number: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = handler
        action.sa_flags = Int32(SA_RESTART)
        unsafe sigaction(number, &action, nil)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        unsafe sigaction(number, nil, &action)
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Unblocks the signals in case the parent process had blocked them, which children inherit.
    private static func unblock(_ numbers: [Int32]) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in numbers { unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// From now on SIGTERM, SIGHUP and SIGINT end the process directly, because nobody checks for them any more.
    package static func release() {
        for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
        if !isIgnored(SIGHUP) { signal(SIGHUP, SIG_DFL) }
    }

    /// Whether SIGUSR1 asked the run to leave after a step.
    package static var asksToLeave: Bool { receivedSignal.load(ordering: .relaxed) == SIGUSR1 }

    /// The number of the signal that asked to end at once: SIGTERM, SIGHUP or SIGINT; nil if none came.
    package static var ending: Int32? {
        let number = receivedSignal.load(ordering: .relaxed)
        return number == 0 || number == SIGUSR1 ? nil : number
    }
}

/// When a run should stop before its last step.
public struct StopConditions: Sendable {
    /// The wall-clock time, in seconds since 1970, at which the run should leave; nil for none.
    public var deadline: Double?
    /// Leave when this many steps are done; nil for none.
    public var afterStep: Int?

    /// Warnings for the user: requests that have no effect.
    public private(set) var warnings: [String] = []
    /// Why the run has no time at all; nil if it had some when it started.
    public private(set) var shortage: String?

    /// Creates conditions.
    public init(deadline: Double? = nil, afterStep: Int? = nil) {
        self.deadline = deadline
        self.afterStep = afterStep
    }

    /// Creates conditions from the wishes of the user and the scheduler.
    ///
    /// An end in the past cannot be this job's, since the job runs: SLURM sets the variable once, and extending the limit later
    /// does not change it.
    ///
    /// - Parameters:
    ///   - stopBefore: how many seconds before the job's end to leave; nil for staying to the end.
    ///   - jobEnd: the value of SLURM_JOB_END_TIME, the job's end in seconds since 1970; nil when it is not set.
    ///   - now: the current time in seconds since 1970.
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

    /// The request of this rank in the step that completes `step` steps.
    package func request(completing step: Int) -> StopReason? {
        if let request { return request }
        if let afterStep, step >= afterStep { return .preempted }
        return nil
    }

    /// The current request by SIGUSR1 or the end of the job's time, whatever the step.
    package var request: StopReason? {
        if StopSignals.asksToLeave { return .preempted }
        if let deadline, Date().timeIntervalSince1970 >= deadline { return .preempted }
        return nil
    }
}
