import Randomness

/// Draws a task's examples without replacement, in an order that is shuffled again for every pass.
///
/// The order of a pass is the permutation of the stream `exampleOrder` with a = task, b = pass.
struct ExampleCursor: Sendable {
    private let seed: UInt64
    private let task: UInt32
    private let examples: Int
    /// Examples drawn so far, over all passes.
    private var drawn = 0
    private var order: [UInt32] = []
    private var orderPass = -1

    init(seed: UInt64, task: UInt32, examples: Int) {
        self.seed = seed
        self.task = task
        self.examples = examples
        // Otherwise the first draw of a task would allocate memory in the middle of training.
        order.reserveCapacity(examples)
    }

    /// The next example.
    mutating func next() -> Int {
        let (pass, position) = drawn.quotientAndRemainder(dividingBy: examples)
        if pass != orderPass {
            // After 2^32 passes the orders repeat.
            var stream = RandomStream(
                seed: seed, purpose: .exampleOrder, a: task, b: UInt32(truncatingIfNeeded: pass))
            stream.permute(&order, count: examples)
            orderPass = pass
        }
        drawn += 1
        return Int(order[position])
    }

    /// Skips `count` examples.
    mutating func skip(_ count: Int) { drawn += count }

    /// Returns to the first example.
    mutating func rewind() { drawn = 0 }
}
