import Failures
import Foundation
import Synchronization

/// `STATUS.json` of a running job as this rank writes it; for any thread.
///
/// The first end that somebody writes stands: what follows from it, such as ranks that fail since another one left, says
/// nothing new. How an earlier job of the run ended stays there while this one is not accepted.
package final class RunEnding: Sendable {
    private struct Facts {
        var lastDurableStep: Int?
        /// Whether this job may speak for the run directory: a start that is refused changes nothing in it.
        var isAccepted = false
        /// Whether what `STATUS.json` says is of this job.
        var hasBegun = false
    }

    private let run: RunDirectory
    private let steps: Int
    private let facts = Mutex(Facts())

    package init(_ run: RunDirectory, steps: Int) {
        self.run = run
        self.steps = steps
    }

    /// From here on the job speaks for the run directory.
    package func isAccepted() { facts.withLock { $0.isAccepted = true } }

    /// From here on `STATUS.json` is of this job, whichever rank wrote it.
    package func hasBegun() { facts.withLock { $0.hasBegun = true } }

    /// A checkpoint of the step is on the disk; 0 is none.
    package func isDurable(_ step: Int) {
        facts.withLock { $0.lastDurableStep = step > 0 ? max(step, $0.lastDurableStep ?? 0) : $0.lastDurableStep }
    }

    /// The run goes on. `takesOver`: whatever an earlier job left.
    package func running(step: Int, takesOver: Bool = false) throws(Failure) {
        try status(.running, "", step, nil).write(to: run, keepingEnd: !takesOver)
        if takesOver { hasBegun() }
    }

    /// The job ends.
    package func ended(_ state: RunStatus.State, _ reason: String, step: Int, exitCode: Int32) throws(Failure) {
        try status(state, reason, step, exitCode).write(to: run, keepingEnd: facts.withLock { $0.hasBegun })
    }

    /// The job ends because something went wrong, or before it had begun; what cannot be written then must not hide it.
    ///
    /// - Returns: false where `STATUS.json` says already how the job has ended.
    @discardableResult
    package func failed(_ state: RunStatus.State, _ reason: String, exitCode: Int32, step: Int? = nil) -> Bool {
        let before = RunStatus.read(run)
        guard FileManager.default.fileExists(atPath: run.path) else { return true }
        let facts = facts.withLock { $0 }
        guard facts.isAccepted || before == nil || before?.state == .running else { return true }
        var status = status(state, reason, step ?? before?.step ?? 0, exitCode)
        status.lastDurableStep = status.lastDurableStep ?? before?.lastDurableStep
        return (try? status.write(to: run, keepingEnd: facts.hasBegun)) ?? true
    }

    private func status(_ state: RunStatus.State, _ reason: String, _ step: Int, _ exitCode: Int32?) -> RunStatus {
        RunStatus(
            state: state, reason: reason, exitCode: exitCode, step: step,
            lastDurableStep: facts.withLock { $0.lastDurableStep }, steps: steps, time: Date().timeIntervalSince1970)
    }
}
