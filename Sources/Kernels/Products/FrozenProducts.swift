import Tensors

/// One worker's products with frozen weights: what the kernels of packed weights keep for a thread, and memory for weights
/// that are expanded to float32 as they are used.
public final class FrozenProducts {
    /// Floats of weights that are expanded at once: as many as a core's second cache holds.
    static let expandedFloats = 1 << 17
    /// Bytes that a worker takes to expand weights of a T5.
    public static var expandedBytes: Int { expandedFloats * MemoryLayout<Float>.stride }
    private var expandedWeights: Arena?

    /// Of the kernels that were met, which are few.
    private var workers: [(kernels: any PackedKernels, worker: any PackedWorker)] = []

    /// Nothing prepared yet.
    public init() {}

    /// Memory for `count` floats, the same in every call, until a later one asks for more.
    func expanded(_ count: Int) -> UnsafeMutablePointer<Float> {
        if let expandedWeights, expandedWeights.count >= count { return expandedWeights.base }
        let memory = Arena(count: max(count, Self.expandedFloats), for: .activations)
        expandedWeights = memory
        return memory.base
    }

    /// `y = x w`: `x: [rows, inner]`, overwrites `y: [rows, columns]`; both without gaps between rows.
    func multiply(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
        precondition(x.stride == x.columns && y.stride == y.columns, "packed products need rows without gaps")
        worker(of: w.kernels).multiply(x, w, into: y)
    }

    private func worker(of kernels: any PackedKernels) -> any PackedWorker {
        if let known = workers.first(where: { $0.kernels === kernels }) { return known.worker }
        let worker = kernels.makeWorker()
        workers.append((kernels, worker))
        return worker
    }
}
