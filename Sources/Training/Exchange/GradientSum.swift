/// How gradients are summed over micro-batches, threads and ranks (`parallel.reduction`).
public enum GradientSum: Sendable {
    /// As whole numbers in 64 bits: the same bits from any number of threads and ranks.
    case exact
    /// In float32: half of the bytes. The bits depend on the ranks, on MPI, and with several threads on their timing.
    case fast

    /// Bytes of one trainable in the sums of a rank, and in the reduction.
    package var bytes: Int {
        switch self {
        case .exact: MemoryLayout<Int64>.stride
        case .fast: MemoryLayout<Float>.stride
        }
    }
}
