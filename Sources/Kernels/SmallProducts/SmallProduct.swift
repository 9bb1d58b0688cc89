import CVectorKernels
public import Tensors

/// `c = alpha * a b`, or `c += alpha * a b`, for products too small for a library's set-up: attention of one head, the
/// low-rank sides of an adapter. Wide and deep ones go to OpenBLAS, or to `rowProduct` where rows must be
/// `independentRows`.
///
/// `a: [m, k]` and `b: [k, n]` after transposition, `c: [m, n]`. Overwrites `c` (whatever it held) or adds to it. In a small
/// product every element is one sum in the order of k, so its bits do not depend on the other rows and columns. `workspace`
/// lends memory for panels of `b`.
public func smallProduct(
    _ a: Operand, _ b: Operand, into c: MutableMatrix, alpha: Float = 1, adding: Bool = false,
    independentRows: Bool = false, _ workspace: Workspace
) {
    let ((m, k), (kb, n)) = (a.shape, b.shape)
    precondition(
        k == kb && m == c.rows && n == c.columns, "product of [\(m),\(k)] x [\(kb),\(n)] into \(c.rows)x\(c.columns)")
    if min(k, n) > SmallProducts.largestSide {
        guard independentRows else { return gemm(a, b, into: c, alpha: alpha, beta: adding ? 1 : 0) }
        if case (.asIs(let x), .transposed(let w)) = (a, b) {
            return rowProduct(x, w, into: c, alpha: alpha, adding: adding)
        }
    }
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    let panels = unsafe workspace.take(Float.self, (n + 15) / 16 * 16 * k)
    unsafe cvectorkernels_here().pointee.product(
        Int64(m), Int64(n), Int64(k), view(a), view(b), c.base, Int64(c.stride), alpha, adding ? 1 : 0, panels)
}

/// The right operand of several small products, brought once into the form that they read.
///
/// Safe: the form is in memory of the workspace, and is valid as long as that is not given back.
@safe public struct PackedOperand {
    let operand: Operand
    /// Nil where `smallProduct` reads the operand as it is.
    fileprivate let panels: UnsafePointer<Float>?

    /// Packs an operand in memory of `workspace`.
    public init(_ operand: Operand, _ workspace: Workspace) {
        self.operand = operand
        let (k, n) = operand.shape
        guard min(k, n) <= SmallProducts.largestSide, operand.strides.column != 1 else {
            unsafe panels = nil
            return
        }
        let memory = unsafe workspace.take(Float.self, (n + 15) / 16 * 16 * k)
        unsafe cvectorkernels_here().pointee.pack(Int64(n), Int64(k), view(operand), memory)
        unsafe panels = UnsafePointer(memory)
    }
}

/// `smallProduct` with an operand that was packed before: the same bits.
public func smallProduct(
    _ a: Operand, _ b: PackedOperand, into c: MutableMatrix, alpha: Float = 1, adding: Bool = false,
    independentRows: Bool = false, _ workspace: Workspace
) {
    guard let panels = unsafe b.panels else {
        return smallProduct(
            a, b.operand, into: c, alpha: alpha, adding: adding, independentRows: independentRows, workspace)
    }
    let ((m, k), (kb, n)) = (a.shape, b.operand.shape)
    precondition(
        k == kb && m == c.rows && n == c.columns, "product of [\(m),\(k)] x [\(kb),\(n)] into \(c.rows)x\(c.columns)")
    unsafe cvectorkernels_here().pointee.packed_product(
        Int64(m), Int64(n), Int64(k), view(a), panels, c.base, Int64(c.stride), alpha, adding ? 1 : 0)
}

/// What small products have in common.
public enum SmallProducts {
    /// A product is small while one side of its right operand is at most this; then its rows may come in parts.
    public static let largestSide = 64
}

/// An operand by its distances between elements.
private func view(_ operand: Operand) -> cvectorkernels_operand {
    let strides = operand.strides
    return unsafe cvectorkernels_operand(
        base: operand.matrix.base, row: Int64(strides.row), column: Int64(strides.column))
}
