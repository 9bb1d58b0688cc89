import Failures
import Randomness
import Tasks
import Tensors
import Training

extension TokenLengths {
    /// Lengths of GLUE examples with T5's vocabulary: 4,096 examples, drawn like in a run with temperature 10 and sorted by
    /// cost; the middle one of each of 32 equal parts. Mean cost: 50.7 units (of all examples: 50.6).
    public static let glue = TokenLengths(
        [
            (9, 3), (13, 2), (12, 3), (16, 2), (18, 2), (21, 2), (24, 2), (27, 2), (29, 2), (31, 2), (32, 2), (34, 2),
            (36, 2), (36, 3), (39, 2), (41, 2), (44, 2), (46, 2), (48, 2), (51, 2), (53, 2), (55, 2), (58, 2), (60, 2),
            (63, 2), (67, 2), (70, 2), (74, 2), (78, 2), (83, 2), (93, 2), (128, 2),
        ].map { (source: $0.0, target: $0.1) })
}

/// Examples of eight tasks whose lengths are drawn from given ones; only the number of tokens is known.
///
/// The lists that it returns are valid as long as this object.
private final class DrawnExamples: TrainingExamples {
    private let tokens: NumberBuffer<Int32>
    private let pairs: [(source: Int, target: Int)]
    private let draw: Philox

    init(_ lengths: TokenLengths, seed: UInt64) {
        pairs = lengths.pairs
        draw = Philox(key: seed)
        tokens = NumberBuffer(count: lengths.longest)
    }

    func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe tokens.slice(0, pair(task, example).source)
    }

    func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe tokens.slice(0, pair(task, example).target)
    }

    private func pair(_ task: Int, _ example: Int) -> (source: Int, target: Int) {
        let word = draw.block(SIMD4(UInt32(example), StreamPurpose.benchmark.rawValue, UInt32(task), 0))[0]
        return pairs[Int((UInt64(word) * UInt64(pairs.count)) >> 32)]
    }
}

extension ScalingModel {
    /// Draws steps, cuts them and shares them out with the trainer's own code.
    func work(ranks: Int, examples: Int) throws(Failure) -> Work {
        let mixture = try Mixture(tasks: (0..<8).map { ("task\($0)", 1 << 17) })
        var sampler = try Sampler(
            seed: layout.seed, mixture: mixture, granularity: .example, batch: examples, micro: layout.micro)
        let drawn = DrawnExamples(lengths, seed: layout.seed)
        var plan = MicroBatchPlan(micro: layout.micro, grouping: .balanced)
        var slots: [Sampler.Slot] = []
        var (busiest, all) = (0, 0)
        for _ in 0..<layout.steps {
            sampler.next(into: &slots)
            plan.cut(slots, examples: drawn)
            busiest += plan.busiest(over: ranks, threads: layout.threads)
            all += plan.costs.reduce(0, +)
        }
        return Work(
            busiest: Double(busiest) / Double(layout.steps),
            mean: Double(all) / Double(layout.steps * ranks * layout.threads))
    }
}
