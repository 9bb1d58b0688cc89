import Tensors

/// A frozen weight could not be packed.
public struct PackingError: Error, Sendable, CustomStringConvertible {
    /// A sentence for the user.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// The second operand `[inner, columns]` of a product, in the layout that its kernels prefer. A view like `Matrix`:
/// touching its memory is unsafe, handing it on is not.
@safe struct PackedWeight: @unchecked Sendable {
    let inner: Int
    let columns: Int
    /// The kernels that pack this operand and compute with it.
    let kernels: any PackedKernels
    /// Memory that another object owns; only read once it has been filled.
    let memory: UnsafeMutableRawPointer
}

/// Multiplies by weights that it packed once for all threads. State that a thread needs for itself is in its `PackedWorker`.
///
/// A new backend needs a file with a type for each of these two protocols, and a line in `PackingLibrary`.
protocol PackedKernels: AnyObject, Sendable {
    /// The number format in which it computes.
    var kind: ProductKind { get }

    /// Whether a row of a product has the same bits whatever the other rows are.
    var hasIndependentRows: Bool { get }

    /// Bytes of a packed operand `[inner, columns]`, a multiple of 64; throws for an operand that it cannot multiply.
    func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int

    /// Overwrites the memory of `weight` with the operand: `packedBytes` bytes, aligned to 64.
    func pack(_ operand: Operand, into weight: PackedWeight) throws(PackingError)

    /// Makes what one thread multiplies with.
    func makeWorker() -> any PackedWorker
}

/// One thread's products with weights of the same kernels: it keeps what the kernels prepare once, and memory for reuse.
protocol PackedWorker: AnyObject {
    /// `y = x w`: `x: [rows, inner]`, overwrites `y: [rows, columns]`; both without gaps between rows.
    func multiply(_ x: Matrix, _ w: PackedWeight, into y: MutableMatrix)
}
