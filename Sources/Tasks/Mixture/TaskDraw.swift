import Randomness

/// The draw of a task: a pure function of (seed, step, slot), by inverse CDF on a 53-bit uniform number.
///
/// Philox counter: `(step, taskDraw, slot, 0)`; the number is the high 53 bits of words 1 and 0. The task is the count of
/// cumulative shares that are at most the number, so the task is the same wherever doubles have the same bits.
struct TaskDraw: Sendable {
    private let philox: Philox
    /// Cumulative shares of all tasks but the last in units of 2^-53, rounded up. With an integer `u`, `u >= ceil(c)` is
    /// exactly `u >= c`, so this compares like the doubles themselves.
    private let thresholds: [UInt64]

    init(seed: UInt64, shares: [Double]) {
        philox = Philox(key: seed)
        var cumulative = 0.0
        thresholds = shares.dropLast().map { share in
            cumulative += share
            return UInt64((cumulative * 0x1p53).rounded(.up))
        }
    }

    /// Number of tasks.
    var taskCount: Int { thresholds.count + 1 }

    /// The task drawn at a slot of a step.
    func task(step: UInt32, slot: UInt32) -> Int {
        let words = philox.block(SIMD4(step, StreamPurpose.taskDraw.rawValue, slot, 0))
        return task(TaskDraw.number(words.x, words.y))
    }

    /// How often each task is drawn at `slot` in the steps `steps`; `[tasks]`, the same draws as `task(step:slot:)`.
    func counts(steps: Range<Int>, slot: UInt32) -> [Int] {
        var counts = [Int](repeating: 0, count: taskCount)
        var step = steps.lowerBound
        // Eight counters at once: resuming a long run spends its time in this loop.
        while step + 8 <= steps.upperBound {
            let (low, high, _, _) = philox.eightBlocks(
                first: UInt32(step), StreamPurpose.taskDraw.rawValue, slot, 0)
            for lane in 0..<8 { counts[task(TaskDraw.number(low[lane], high[lane]))] += 1 }
            step += 8
        }
        while step < steps.upperBound {
            counts[task(step: UInt32(step), slot: slot)] += 1
            step += 1
        }
        return counts
    }

    private static func number(_ low: UInt32, _ high: UInt32) -> UInt64 {
        (UInt64(low) | UInt64(high) << 32) >> 11
    }

    /// There are no branches: the draws are random, so a search that stops early would be mispredicted.
    private func task(_ number: UInt64) -> Int {
        var task = 0
        for threshold in thresholds { task += number >= threshold ? 1 : 0 }
        return task
    }
}
