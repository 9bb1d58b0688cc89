package import Failures
import Foundation
import Logging
import Synchronization

/// The part of this rank in writing `STATUS.json` and `jobs.jsonl` of a running job; any thread may use it.
///
/// The first recorded end is final: what follows from it, for example ranks that fail because another one left, says nothing
/// new. The end of an earlier job of the run stays in the file until this job is accepted.
package final class RunEnding: Sendable {
    private struct Facts {
        var lastDurableStep: Int?
        /// Whether this job may write the run's status: a start that is refused changes nothing in the directory.
        var isAccepted = false
        /// What the bits of the job's steps depend on; known when it is accepted.
        var libraries: [String: String]?
        /// Whether the content of `STATUS.json` is about this job.
        var hasBegun = false
    }

    private let run: RunDirectory
    private let steps: Int
    private let ranks: Int
    private let facts = Mutex(Facts())

    package init(_ run: RunDirectory, steps: Int, ranks: Int) {
        self.run = run
        self.steps = steps
        self.ranks = ranks
    }

    /// From now on the job may write the run's status. `libraries` are what the bits of its steps depend on.
    package func accept(_ libraries: [String: String]) {
        facts.withLock { ($0.isAccepted, $0.libraries) = (true, libraries) }
    }

    /// From now on `STATUS.json` is about this job, whichever rank wrote it.
    package func begin() { facts.withLock { $0.hasBegun = true } }

    /// Records that a checkpoint of this step is on the disk; 0 means none.
    package func recordDurable(_ step: Int) {
        facts.withLock { $0.lastDurableStep = step > 0 ? max(step, $0.lastDurableStep ?? 0) : $0.lastDurableStep }
    }

    /// Records that the run goes on. `takesOver` replaces what an earlier job left, whatever it is.
    package func running(step: Int, takesOver: Bool = false) throws(Failure) {
        try status(.running, "", step, nil).write(to: run, keepingEnd: !takesOver)
        guard takesOver else { return }
        begin()
        JobRecord(startAt: step, ranks: ranks, libraries: facts.withLock { $0.libraries }).append(to: run)
    }

    /// Records that the job ends.
    package func ended(_ state: RunStatus.State, _ reason: String, step: Int, exitCode: Int32) throws(Failure) {
        let status = status(state, reason, step, exitCode)
        if try status.write(to: run, keepingEnd: facts.withLock { $0.hasBegun }) {
            JobRecord(end: status).append(to: run)
        }
    }

    /// Records that the job ends because something went wrong, or before it had begun. An error in writing this is ignored,
    /// because it must not hide the cause.
    ///
    /// - Returns: false when `STATUS.json` already says how the job ended.
    @discardableResult
    package func failed(_ state: RunStatus.State, _ reason: String, exitCode: Int32, step: Int? = nil) -> Bool {
        let before = RunStatus.read(run)
        guard mayWrite(after: before) else { return true }
        let facts = facts.withLock { $0 }
        var status = status(state, reason, step ?? before?.step ?? 0, exitCode)
        status.lastDurableStep = status.lastDurableStep ?? before?.lastDurableStep
        guard let isWritten = try? status.write(to: run, keepingEnd: facts.hasBegun) else { return true }
        if isWritten { JobRecord(end: status).append(to: run) }
        return isWritten
    }

    /// Writes why this rank failed into its log, which outlives the terminal and the scheduler's file.
    package func log(_ failure: Failure, rank: Int) {
        guard mayWrite(after: RunStatus.read(run)),
            let handler = try? RankLogHandler(path: run.log(rank: rank), owner: run.owner)
        else { return }
        Logger(label: "unolora-dist") { _ in handler }.error("exit code \(failure.code.rawValue): \(failure.message)")
    }

    /// Whether the directory is there and this job may write about its end: not if it was refused beside an earlier job's end.
    private func mayWrite(after before: RunStatus?) -> Bool {
        guard FileManager.default.fileExists(atPath: run.path) else { return false }
        return facts.withLock { $0.isAccepted } || before == nil || before?.state == .running
    }

    private func status(_ state: RunStatus.State, _ reason: String, _ step: Int, _ exitCode: Int32?) -> RunStatus {
        RunStatus(
            state: state, reason: reason, exitCode: exitCode, step: step,
            lastDurableStep: facts.withLock { $0.lastDurableStep }, steps: steps, time: Date().timeIntervalSince1970,
            peakMemory: state == .running ? nil : Self.peakMemory())
    }

    /// The largest resident memory of this process so far; Linux counts it in kibibytes.
    private static func peakMemory() -> Int? {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        return usage.ru_maxrss * 1024
    }
}
