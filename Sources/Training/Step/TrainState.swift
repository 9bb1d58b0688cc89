import Adapters
import Tensors

/// Everything that training changes: weights and both moments in one layout, how many steps are done, and how many of
/// the last ones were left out.
///
/// Every rank holds all of it and changes it alike, so any rank could write the checkpoint.
public final class TrainState {
    /// Names, shapes and places of the trainables.
    public let layout: LowRankLayout
    /// Trainable weights.
    public let weights: Arena
    /// AdamW's mean of gradients, m.
    public let mean: Arena
    /// AdamW's mean of squares, v.
    public let square: Arena
    /// Steps done.
    public var step = 0
    /// How many of the last ones in a row were left out, since they were not finite.
    public var skippedInARow = 0

    /// Creates the seeded start.
    public init(layout: LowRankLayout, seed: UInt64) {
        self.layout = layout
        let count = layout.parameters.count
        weights = Arena(count: count, for: .trainables)
        mean = Arena(count: count, for: .trainables)
        square = Arena(count: count, for: .trainables)
        layout.initialise(weights, seed: seed)
    }

    /// Digest of weights and both moments: equal for two runs that did the same.
    public var digest: ContentDigest {
        var accumulator = ContentDigest.Accumulator()
        for arena in [weights, mean, square] {
            accumulator.update(UnsafeRawBufferPointer(arena.elements))
        }
        return accumulator.digest
    }
}
