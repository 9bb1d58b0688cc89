import Failures
import Foundation
import Kernels
import MPI
import Runs
import Tensors

/// Sums gradients, losses and counts of a step over all ranks.
///
/// One reduction for an adapter of the usual size. More trainables are summed bucket by bucket (`BucketReduction`), and with the
/// last bucket, or after it, what stands behind the gradients.
///
/// Safe, since it keeps the sums to which `rest` belongs.
@safe final class GradientExchange {
    private let communicator: Communicator
    private let check: UInt64
    private let sums: RankSums
    private let early: BucketReduction
    /// What is summed when all buckets before are.
    private let rest: UnsafeMutableBufferPointer<Int64>
    private var layout: StepSums { sums.layout }

    /// - Parameters:
    ///   - check: identifies layout and configuration; ranks must agree on it (`Agreement`).
    ///   - overlaps: whether MPI allows several threads, so that complete buckets can be summed while others are computed.
    init(communicator: Communicator, sums: RankSums, check: UInt64, overlaps: Bool = false) {
        self.communicator = communicator
        self.sums = sums
        self.check = check
        let (layout, buckets) = (sums.layout, sums.buckets.all)
        // The last bucket often ends where the rest begins.
        let isJoined = layout.gradients == .exact && buckets.last?.range.upperBound == layout.losses
        let first = isJoined ? buckets[buckets.count - 1].range.lowerBound : layout.losses
        unsafe rest = UnsafeMutableBufferPointer(rebasing: sums.words[first...])
        early = BucketReduction(
            sums, count: buckets.count - (isJoined ? 1 : 0), communicator: communicator, overlaps: overlaps)
    }

    /// A step begins: from here on complete buckets may be summed. `reduce` follows when the workers are done.
    func begin() { early.begin() }

    /// Sums this rank's sums over the ranks, in place; collective. `isGood`: whether this rank met only numbers that the sum
    /// admits. Ranks that are at different steps, at different examples (`cursor`), that began the step with different weights
    /// (`weights`, a number that their bits decide), or that differ in `check` are refused with `ranksDisagree` naming one of
    /// them, on every rank.
    func reduce(
        isGood: Bool, step: Int, cursor: UInt64, weights: UInt64 = 0, stop: @autoclosure () -> StopReason?
    ) throws(Failure) {
        try early.finish()
        // Below 2^22, so that the sum of squares over 2^19 ranks still fits.
        let word = Int64(Self.mix(Self.mix(Self.mix(check, UInt64(step)), cursor), weights) >> 42)
        self[.step] = Int64(step)
        self[.check] = word
        self[.checkSquared] = word * word
        self[.bad] = isGood ? 0 : 1
        self[.stop] = stop() == nil ? 0 : 1
        try unsafe communicator.allReduceSum(rest)
        let size = Int64(communicator.size)
        let agrees =
            self[.step] == Int64(step) * size && self[.check] == word * size
            && self[.checkSquared] == word * word * size
        guard agrees else { throw try disagreement([UInt64(step), cursor, check, weights]) }
    }

    /// Puts another word into a hash.
    static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let mixed = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ (mixed >> 29)
    }

    /// The rank that the last refusal named.
    private(set) var odd: Int?

    /// Sums everything over all ranks; collective.
    func sumOverRanks() throws(Failure) {
        try early.reduceAll()
        try unsafe communicator.allReduceSum(rest)
    }

    /// Whether some rank met a number that is not finite or too large.
    var isBad: Bool { self[.bad] > 0 }
    /// Why to stop after this step, if some rank asked for it.
    var stop: StopReason? { StopReason.together(self[.stop]) }

    /// The sums of a task.
    func sums(task: Int) -> StepResult.TaskSums {
        unsafe StepResult.TaskSums(
            lossQuanta: sums.words[layout.losses + task], tokens: sums.words[layout.tokens + task],
            examples: sums.words[layout.examples + task], sourceTokens: sums.words[layout.sourceTokens + task])
    }

    private subscript(word: StepSums.Header) -> Int64 {
        get { unsafe sums.words[layout.header + word.rawValue] }
        set { unsafe sums.words[layout.header + word.rawValue] = newValue }
    }

    /// Names the first rank that is not with most of the others; collective.
    private func disagreement(_ own: [UInt64]) throws(Failure) -> Failure {
        let all = try communicator.allGather(own)
        let hosts = try communicator.allGather(ProcessInfo.processInfo.hostName)
        let most = all.map { words in all.count { $0 == words } }.max() ?? 0
        let usual = all.indices.first { rank in all.count { $0 == all[rank] } == most } ?? 0
        let odd = all.indices.first { all[$0] != all[usual] } ?? 0
        self.odd = odd
        let names = (there: "rank \(odd) on \(hosts[odd])", usual: "rank \(usual) on \(hosts[usual])")
        let what =
            if all[odd][0] != all[usual][0] {
                "is at step \(all[odd][0]) and \(names.usual) at step \(all[usual][0])"
            } else if all[odd][2] != all[usual][2] {
                "has another configuration than \(names.usual) at step \(all[usual][0])"
            } else if all[odd][1] != all[usual][1] {
                "is at other examples of the data than \(names.usual) at step \(all[usual][0])"
            } else {
                "has other weights than \(names.usual) at step \(all[usual][0])"
            }
        let remedy =
            all[odd][..<3] == all[usual][..<3]
            ? "memory or network of one of them is faulty, or MPI sums floats differently on ranks; continue from the last "
                + "checkpoint, with parallel.reduction exact if it is fast"
            : "start all ranks with the same program, configuration and run directory"
        return Failure(.ranksDisagree, "\(names.there) \(what); \(remedy)")
    }
}
