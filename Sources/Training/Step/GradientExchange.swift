import Failures
import Kernels
import MPI
import Tensors

/// Sums the workers' gradients, losses and counts over all threads and ranks, exactly, in one reduction a step.
final class GradientExchange {
    private let communicator: Communicator
    private let layout: StepSums
    private let check: UInt64
    private let buffer: UnsafeMutableBufferPointer<Int64>

    /// `check` identifies layout and configuration; ranks must agree on it (`Agreement`).
    init(communicator: Communicator, layout: StepSums, check: UInt64) {
        self.communicator = communicator
        self.layout = layout
        self.check = check
        buffer = .allocate(capacity: layout.count)
        buffer.initialize(repeating: 0)
    }

    deinit { buffer.deallocate() }

    /// Sums over workers and ranks; collective. Ranks that are at different steps, or differ in `check`, are refused
    /// with `ranksDisagree` naming one of them.
    func reduce(_ workers: [WorkerTeam.Worker], step: Int, stop: StopReason?) throws(Failure) {
        sum(workers)
        // Below 2^22, so that the sum of squares over 2^19 ranks still fits.
        let word = Int64((check &+ UInt64(step) &* 0x9E37_79B9_7F4A_7C15) >> 42)
        self[.step] = Int64(step)
        self[.check] = word
        self[.checkSquared] = word * word
        self[.bad] = workers.allSatisfy(\.good) ? 0 : 1
        self[.stop] = stop?.rawValue ?? 0
        try sumOverRanks()
        let size = Int64(communicator.size)
        let agrees =
            self[.step] == Int64(step) * size && self[.check] == word * size
            && self[.checkSquared] == word * word * size
        guard agrees else { throw try disagreement(step: step, word: word) }
    }

    /// Overwrites the buffer with the sum over this rank's workers; of the header, nothing yet.
    func sum(_ workers: [WorkerTeam.Worker]) {
        buffer.update(repeating: 0)
        for worker in workers {
            for i in 0..<layout.count {
                buffer[i] &+= worker.sums[i]
            }
        }
    }

    /// Sums the buffer over all ranks; collective.
    func sumOverRanks() throws(Failure) { try communicator.allReduceSum(buffer) }

    /// Numbers in the buffer.
    var count: Int { buffer.count }

    /// Whether some rank met a number that is not finite or too large.
    var isBad: Bool { self[.bad] > 0 }
    /// Why to stop after this step, if some rank asked for it.
    var stop: StopReason? { StopReason.of(sum: self[.stop]) }

    /// The sums of a task.
    func sums(task: Int) -> StepResult.TaskSums {
        StepResult.TaskSums(
            lossQuanta: buffer[layout.losses + task], tokens: buffer[layout.tokens + task],
            examples: buffer[layout.examples + task], sourceTokens: buffer[layout.sourceTokens + task])
    }

    /// Writes the gradient of the loss: the sum divided by `divisor`. Overwrites `gradients`.
    func unpack(into gradients: Arena, divisor: Double) {
        let factor = FixedPoint.quantum / divisor
        for i in 0..<layout.parameters {
            gradients.base[i] = Float(Double(buffer[i]) * factor)
        }
    }

    private subscript(word: StepSums.Header) -> Int64 {
        get { buffer[layout.header + word.rawValue] }
        set { buffer[layout.header + word.rawValue] = newValue }
    }

    private func disagreement(step: Int, word: Int64) throws(Failure) -> Failure {
        let all = try communicator.allGather([UInt64(step), UInt64(word)])
        let odd = all.indices.first { all[$0] != all[0] } ?? 0
        let (there, here) = (all[odd][0], all[0][0])
        let what =
            there != here
            ? "is at step \(there) and rank 0 at step \(here)" : "has another configuration than rank 0 at step \(here)"
        return Failure(
            .ranksDisagree,
            "rank \(odd) \(what); start all ranks with the same program, "
                + "configuration and run directory")
    }
}
