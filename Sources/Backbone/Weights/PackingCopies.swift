/// The private copies of weights that the ranks of a node make while they pack a model.
public struct PackingCopies: Sendable, Equatable {
    /// Threads of a rank that pack at once.
    public let threads: Int
    /// Bytes of a rank's copies, at most.
    public let bytesOfRank: Int

    /// The copies of at most `threads` threads of each of `ranks` ranks. So that they take at most a quarter of the node's packs, there
    /// may be fewer threads, but not fewer than one for each rank.
    ///
    /// - Parameters:
    ///   - largest: weights of the largest projection.
    ///   - packed: bytes of the packs.
    public init(largest: Int, packed: Int, ranks: Int, threads: Int) {
        // A thread copies the parts of a projection side by side, and for 8 bits rounds it: up to five bytes for each weight.
        let copy = 5 * largest
        self.threads = min(threads, max(1, packed / 4 / max(1, copy * ranks)))
        bytesOfRank = packed == 0 ? 0 : self.threads * copy
    }
}
