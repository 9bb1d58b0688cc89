public import Failures
import Tensors

/// `STATUS.json`: how the run ended, or that it runs. mpirun may hide the exit codes of ranks, so this file is the reference.
/// One exception: a run whose processes were killed, or ended by a second signal, cannot write its end. Its state stays
/// `running` although nobody holds its lock.
public struct RunStatus: Codable, Sendable, Equatable {
    /// The states of a run.
    public enum State: String, Codable, Sendable {
        case running
        case finished
        case preempted
        case failed
    }

    /// State.
    public var state: State
    /// One sentence that says why.
    public var reason: String
    /// Exit code of the rank that ended the run; nil while it runs.
    public var exitCode: Int32?
    /// Steps done when this was written.
    public var step: Int
    /// Step of the newest complete checkpoint; nil for none.
    public var lastDurableStep: Int?
    /// Steps of the whole run.
    public var steps: Int
    /// Seconds since 1970 when this was written.
    public var time: Double
    /// Largest resident memory, in bytes, of the process that wrote the end of the run: the mapped model included, without other
    /// ranks. Nil while the run goes on, and in files of earlier versions.
    public var peakMemory: Int?

    /// Replaces `STATUS.json` as a whole. With `keepingEnd` it keeps a recorded end, which another rank or thread of the job
    /// may have written in the meantime, unless this status gives the cause: that a rank was lost. Returns whether the file was
    /// replaced.
    @discardableResult
    public func write(to run: RunDirectory, keepingEnd: Bool = false) throws(Failure) -> Bool {
        try exclusively(in: run.path) { () throws(Failure) in
            if keepingEnd, let before = Self.read(run), before.state != .running {
                // A launcher that finds a rank dead sends SIGTERM to the others; the dead rank is the cause to record.
                let isCause = exitCode == ExitCode.rankLost.rawValue && before.state == .preempted
                guard isCause else { return false }
            }
            try run.write(StableJSON.document(self, "the status"), to: run.status)
            return true
        }
    }

    /// Reads `STATUS.json`; nil when it does not exist or cannot be read.
    public static func read(_ run: RunDirectory) -> RunStatus? {
        try? BoundedJSON.decode(RunStatus.self, from: BoundedJSON.content(of: run.status, followingLinks: false))
    }
}
