package import Failures
import Foundation
package import Runs
import Synchronization

/// Writes the output of a run on rank 0: metrics, TensorBoard's curves, checkpoints, `STATUS.json` and lines on the terminal.
package final class RunWriter: @unchecked Sendable {
    let run: RunDirectory
    private let metrics: MetricsLog
    private let events: EventFile?
    private let ending: RunEnding
    private let saver: BackgroundSaver
    private let synchronising = DispatchQueue(label: "metrics")
    private let isSynchronising = Atomic<Bool>(false)
    private let hasOtherNodes: Bool

    /// Opens the run's files; with `start` later lines of `metrics.jsonl` are removed. `beginning` is
    /// what TensorBoard shows of the whole run, nil for no file for it. `hasOtherNodes`: their ranks may continue from a step whose lines are not on this node's disk yet.
    package init(
        run: RunDirectory, checkpoints: RunCheckpoints, ending: RunEnding, start: MetricsLog.Start,
        beginning: [Event.Tagged]?, hasOtherNodes: Bool
    ) throws(Failure) {
        self.run = run
        self.hasOtherNodes = hasOtherNodes
        self.ending = ending
        try run.owner.check()
        metrics = try MetricsLog(path: run.metrics, start)
        events = beginning == nil ? nil : try EventFile(in: run.path, after: start.step)
        // Another start at this step cancels it.
        if let beginning { try events?.append(beginning, step: start.step + 1) }
        ending.recordDurable(start.step)
        try ending.running(step: start.step, takesOver: true)
        saver = BackgroundSaver(checkpoints) { step throws(Failure) in
            ending.recordDurable(step)
            try ending.running(step: step)
        }
        if let missing = start.missing(in: metrics) { try append(missing) }
        if let missing = start.missingInterference(in: metrics) { try append(missing) }
    }

    /// Appends a line to `metrics.jsonl` and the line's points to the curves.
    func append(_ record: some Encodable & Drawable) throws(Failure) {
        try run.owner.check()
        try metrics.append(record)
        try events?.append(record)
        guard hasOtherNodes, !isSynchronising.exchange(true, ordering: .acquiringAndReleasing) else { return }
        synchronising.async { [self] in
            isSynchronising.store(false, ordering: .releasing)
            // If this fails, the next checkpoint reports it.
            try? metrics.synchronise()
        }
    }

    /// Appends what only TensorBoard shows.
    func draw(_ values: [Event.Tagged], step: Int) throws(Failure) {
        guard let events else { return }
        try run.owner.check()
        try events.append(values, step: step)
    }

    /// Appends what only TensorBoard shows, once all `steps` are done. It is after the last step, since a job that starts the
    /// finished run again, and says it again, cancels it there.
    package func drawEnd(_ values: [Event.Tagged], of steps: Int) throws(Failure) {
        try draw(values, step: steps + 1)
    }

    /// Starts writing the newest snapshot as a checkpoint while training continues. Throws the failure of an earlier
    /// checkpoint.
    package func checkpoint() throws(Failure) {
        let metrics = metrics
        try saver.save { () throws(Failure) in try metrics.synchronise() }
    }

    /// Throws the failure of a checkpoint in the background.
    func check() throws(Failure) { try saver.check() }

    /// Waits until the last checkpoint is on the disk; throws its failure.
    package func finish() throws(Failure) { try saver.finish() }

    /// Prints a line for the user on standard output.
    package func say(_ line: String) {
        Terminal.say(line)
    }
}
