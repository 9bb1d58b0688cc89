import Failures
import Foundation
import Runs
import Synchronization
import Tensors

/// What rank 0 writes during a run: metrics, TensorBoard's curves, checkpoints, `STATUS.json` and words on the terminal.
package final class RunWriter: @unchecked Sendable {
    let run: RunDirectory
    private let metrics: MetricsLog
    private let events: EventFile?
    private let ending: RunEnding
    private let saver: BackgroundSaver
    private let synchronising = DispatchQueue(label: "metrics")
    private let isSynchronising = Atomic<Bool>(false)
    private let hasOtherNodes: Bool

    /// Opens the run's files as `start` says; later lines of `metrics.jsonl` are cut off. `drawsCurves`: for TensorBoard
    /// too. `hasOtherNodes`: their ranks may go on from a step whose lines this node has not given to the disk yet.
    package init(
        run: RunDirectory, checkpoints: RunCheckpoints, ending: RunEnding, start: MetricsLog.Start, drawsCurves: Bool,
        hasOtherNodes: Bool
    ) throws(Failure) {
        self.run = run
        self.hasOtherNodes = hasOtherNodes
        self.ending = ending
        try run.owner.check()
        metrics = try MetricsLog(path: run.metrics, start)
        events = drawsCurves ? try EventFile(in: run.path, after: start.step) : nil
        ending.isDurable(start.step)
        try ending.running(step: start.step, takesOver: true)
        saver = BackgroundSaver(checkpoints) { step throws(Failure) in
            ending.isDurable(step)
            try ending.running(step: step)
        }
        if let missing = start.missing(in: metrics) { try append(missing) }
    }

    /// Appends a line to `metrics.jsonl` and its points to the curves.
    func append(_ record: some Encodable & Drawable) throws(Failure) {
        try run.owner.check()
        try metrics.append(record)
        try events?.append(record)
        guard hasOtherNodes, !isSynchronising.exchange(true, ordering: .acquiringAndReleasing) else { return }
        synchronising.async { [self] in
            isSynchronising.store(false, ordering: .releasing)
            // Where it fails the next checkpoint says so.
            try? metrics.synchronise()
        }
    }

    /// Begins to write the newest snapshot as a checkpoint, while training goes on. Throws what an earlier one failed with.
    package func checkpoint() throws(Failure) {
        let metrics = metrics
        try saver.save { () throws(Failure) in try metrics.synchronise() }
    }

    /// Throws what a checkpoint in the background failed with.
    func check() throws(Failure) { try saver.check() }

    /// Returns when the last checkpoint is on the disk; throws what it failed with.
    package func finish() throws(Failure) { try saver.finish() }

    /// A line for the user on standard output.
    package func say(_ line: String) {
        Terminal.say(line)
    }
}
