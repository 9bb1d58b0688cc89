import Foundation
import Synchronization

/// Why a run is asked to stop; the raw value is the word that travels in the reduction, so that the ranks' requests can
/// be summed.
public enum StopReason: Int64, Sendable, CaseIterable {
    /// SIGUSR1, the end of the job's time or `--stop-after`: leave and be requeued.
    case preempted = 1
    /// SIGTERM, or SIGHUP, as when the terminal is closed.
    case terminated = 0x10_0000
    /// SIGINT.
    case interrupted = 0x100_0000_0000

    /// The exit code of the process.
    public var exitCode: Int32 {
        switch self {
        case .preempted: 85
        case .terminated: 143
        case .interrupted: 130
        }
    }

    /// The strongest reason among those that ranks asked for; nil for none.
    static func of(sum: Int64) -> StopReason? {
        if sum >= interrupted.rawValue { return .interrupted }
        if sum >= terminated.rawValue { return .terminated }
        return sum > 0 ? .preempted : nil
    }
}

/// The last signal that asked to stop; 0 for none. A signal handler may only touch such a word.
private let receivedSignal = Atomic<Int32>(0)

/// Turns SIGUSR1, SIGTERM, SIGHUP and SIGINT into a request that the training loop asks for in each step.
public enum StopSignals {
    private static let numbers = [SIGUSR1, SIGTERM, SIGHUP, SIGINT]

    /// Installs the handlers. A second SIGTERM, SIGHUP or SIGINT ends the process at once.
    public static func install() {
        // nohup starts a process that is to ignore SIGHUP.
        for number in numbers where number != SIGHUP || !isIgnored(SIGHUP) {
            handle(number) { number in
                let before = receivedSignal.exchange(number, ordering: .relaxed)
                if number != SIGUSR1, before != 0, before != SIGUSR1 { _exit(128 + number) }
            }
        }
        unblock(numbers)
    }

    /// Lets SIGQUIT end the process without the backtrace of a crash, which it is none.
    static func quitAtOnce() {
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

    /// What a signal asked for, if one came.
    static var request: StopReason? {
        switch receivedSignal.load(ordering: .relaxed) {
        case SIGUSR1: .preempted
        case SIGTERM, SIGHUP: .terminated
        case SIGINT: .interrupted
        default: nil
        }
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

    /// Creates conditions.
    public init(deadline: Double? = nil, afterStep: Int? = nil) {
        self.deadline = deadline
        self.afterStep = afterStep
    }

    /// Creates conditions from what the user and the scheduler say.
    ///
    /// - Parameters:
    ///   - stopBefore: how many seconds ahead of the job's end to leave; nil for staying to the end.
    ///   - jobEnd: the value of SLURM_JOB_END_TIME, the job's end in seconds since 1970; nil when it is not set.
    public init(stopBefore: Double?, jobEnd: String?, afterStep: Int?) {
        self.init(afterStep: afterStep)
        guard let stopBefore else { return }
        if let end = jobEnd.flatMap(Double.init), end.isFinite {
            deadline = end - stopBefore
        } else {
            let found = jobEnd.map { "is \($0), not seconds since 1970" } ?? "is not set"
            warnings = [
                "train.stopBefore has no effect: the end of the job is unknown, since SLURM_JOB_END_TIME \(found)"
            ]
        }
    }

    /// What this rank asks for in the step that makes `step` steps done.
    func request(completing step: Int) -> StopReason? {
        if let request { return request }
        if let afterStep, step >= afterStep { return .preempted }
        return nil
    }

    /// What a signal or the end of the job's time asks for now, whatever the step.
    var request: StopReason? {
        if let request = StopSignals.request { return request }
        if let deadline, Date().timeIntervalSince1970 >= deadline { return .preempted }
        return nil
    }
}
