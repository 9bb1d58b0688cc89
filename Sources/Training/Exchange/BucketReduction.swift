import Failures
import Foundation
import Heartbeat
import MPI
import Synchronization

/// Sums the buckets of a step over the ranks, one after the other in their order: on a thread of its own as soon as a bucket is
/// complete on this rank, while the workers compute the gradients of the next one; or all at once where only one thread may
/// call MPI. Ranks may differ in that, since what they call is the same.
final class BucketReduction: @unchecked Sendable {
    // Unchecked: between `begin` and the end of `finish` the thread has the failure; else the caller of these.
    private let communicator: Communicator
    private let sums: RankSums
    private let count: Int
    private let background: Background?
    private var hasBegun = false
    private var failure: Failure?

    /// What the thread shares with its owner: it outlives the owner until it has left.
    private final class Background: @unchecked Sendable {
        let start = DispatchSemaphore(value: 0)
        let finished = DispatchSemaphore(value: 0)
        /// Whether the workers are done, so that this thread has their cores.
        let isAwaited = Atomic<Bool>(false)
        /// Whose step has begun; nil to leave. Written while the thread waits.
        var owner: BucketReduction?

        func run() {
            while step() { finished.signal() }
        }

        /// Waits for a step and does its reductions; false when there is none any more. A function of its own, so that the thread
        /// holds the owner no more when it signals.
        @inline(never)
        private func step() -> Bool {
            start.wait()
            guard let owner else { return false }
            self.owner = nil
            owner.reduceAsCompleted(self)
            return true
        }
    }

    /// The first `count` buckets of `sums`; `overlaps`: while they are computed, for which MPI must allow several threads.
    init(_ sums: RankSums, count: Int, communicator: Communicator, overlaps: Bool) {
        self.sums = sums
        self.count = count
        self.communicator = communicator
        guard overlaps, count > 0, communicator.size > 1 else {
            background = nil
            return
        }
        let background = Background()
        self.background = background
        sums.awaited = count
        let thread = Thread { background.run() }
        thread.name = "reduction"
        thread.start()
    }

    deinit { background?.start.signal() }

    /// A step begins, in which the workers complete the buckets.
    func begin() {
        guard let background else { return }
        hasBegun = true
        background.isAwaited.store(false, ordering: .relaxed)
        background.owner = self
        background.start.signal()
    }

    private func reduceAsCompleted(_ background: Background) {
        for bucket in 0..<count {
            sums.completed.wait()
            // After a failure the job ends; the signals of the other buckets still come.
            guard failure == nil else { continue }
            do throws(Failure) {
                try reduce(bucket) {
                    if background.isAwaited.load(ordering: .relaxed) { sched_yield() } else { usleep(100) }
                }
                // A sum that ended is progress of all ranks: where many follow each other, nobody only waits.
                Heartbeat.beat()
            } catch {
                failure = error
            }
        }
    }

    /// Returns when all buckets of the step are summed; the workers are done. Collective.
    func finish() throws(Failure) {
        guard let background, hasBegun else { return try reduceAll() }
        hasBegun = false
        background.isAwaited.store(true, ordering: .relaxed)
        Heartbeat.waiting { background.finished.wait() }
        if let failure { throw failure }
    }

    /// Sums all buckets now; collective.
    func reduceAll() throws(Failure) {
        for bucket in 0..<count {
            try Heartbeat.waiting { () throws(Failure) in try reduce(bucket) { sched_yield() } }
        }
    }

    private func reduce(_ bucket: Int, pause: () -> Void) throws(Failure) {
        let range = sums.buckets.all[bucket].range
        switch sums.layout.gradients {
        case .exact:
            try unsafe communicator.allReduceSum(UnsafeMutableBufferPointer(rebasing: sums.words[range]), pause: pause)
        case .fast:
            try unsafe communicator.allReduceSum(UnsafeMutableBufferPointer(rebasing: sums.floats[range]), pause: pause)
        }
    }
}
