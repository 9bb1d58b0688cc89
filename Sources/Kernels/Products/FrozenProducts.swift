import Tensors

/// One worker's products with frozen weights: it owns what the kernels of packed weights keep per thread, and the memory for
/// weights that are expanded to float32 when they are used.
public final class FrozenProducts {
    /// Number of weights that are expanded at once: as many floats as fit into a core's second-level cache.
    static let expandedFloats = 1 << 17
    /// Bytes that a worker uses to expand the weights of a T5.
    public static var expandedBytes: Int { expandedFloats * MemoryLayout<Float>.stride }
    private var expandedWeights: Arena?

    /// The workers of all kernels used so far, which are few.
    private var workers: [(kernels: any PackedKernels, worker: any PackedWorker)] = []

    /// Creates the products without any preparation.
    public init() {}

    /// Memory for `count` floats. Every call returns the same memory until a later call asks for more.
    func expanded(_ count: Int) -> UnsafeMutablePointer<Float> {
        if let expandedWeights, expandedWeights.count >= count { return unsafe expandedWeights.base }
        let memory = Arena(count: max(count, Self.expandedFloats), for: .activations)
        expandedWeights = memory
        return unsafe memory.base
    }

    /// `y = x w`: `x: [rows, inner]`, overwrites `y: [rows, columns]`; both without gaps between rows.
    func multiply(_ x: Matrix, _ w: PackedWeight, into y: MutableMatrix) {
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
