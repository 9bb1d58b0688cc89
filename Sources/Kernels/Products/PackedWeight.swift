import Tensors

/// A frozen weight could not be packed.
public struct PackingError: Error, Sendable, CustomStringConvertible {
    /// A sentence for the user.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The second operand `[inner, columns]` of a product, in the layout that some kernels like best.
struct PackedWeight: @unchecked Sendable {
    let inner: Int
    let columns: Int
    /// What packs it and computes with it.
    let kernels: any PackedKernels
    /// Memory that somebody else owns, only read from the moment that it was filled.
    let memory: UnsafeMutableRawPointer
}

/// Multiplies by weights that it packed once, for all threads. What a thread needs for itself is in its `PackedWorker`.
///
/// A new backend is a file with these two, and a line in `PackingLibrary`.
protocol PackedKernels: AnyObject, Sendable {
    /// In what it computes.
    var kind: ProductKind { get }

    /// Whether a row of a product has the same bits whatever rows stand beside it.
    var hasIndependentRows: Bool { get }

    /// Bytes of a packed operand `[inner, columns]`, a multiple of 64; refuses one that it cannot multiply.
    func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int

    /// Overwrites the memory of `weight`, `packedBytes` of it at a multiple of 64, with the operand.
    func pack(_ operand: Operand, into weight: PackedWeight) throws(PackingError)

    /// What one thread multiplies with.
    func makeWorker() -> any PackedWorker
}

/// One thread's products with the weights of some kernels: what these prepare once, and memory that they use again.
protocol PackedWorker: AnyObject {
    /// `y = x w`: `x: [rows, inner]`, overwrites `y: [rows, columns]`; both without gaps between rows.
    func multiply(_ x: Matrix, _ w: PackedWeight, into y: Matrix)
}
