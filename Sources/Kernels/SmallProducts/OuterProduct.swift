import CVectorKernels
public import Tensors

/// `c += alpha * a^T b` where `a: [k, m]` and `b: [k, n]` have many rows and `m` is small: a gradient of an adapter.
///
/// Both are read once, a few rows at a time, while `c: [m, n]` stays in the cache. Every element is summed in `workspace` from
/// 0 in the order of k; then alpha times the sum is added to `c`.
///
/// With `transposed` it adds the transpose: then `c: [n, m]`. Adds to `c`.
public func addOuterProduct(
    _ a: Matrix, _ b: Matrix, to c: MutableMatrix, transposed: Bool = false, alpha: Float = 1, _ workspace: Workspace
) {
    precondition(
        a.rows == b.rows && (transposed ? (c.columns, c.rows) : (c.rows, c.columns)) == (a.columns, b.columns),
        "outer product of other shapes")
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    let sums = workspace.zeroMatrix(a.columns, b.columns)
    sumOuterProduct(a, b, in: sums)
    if transposed {
        for r in 0..<c.rows {
            let target = unsafe c.row(r)
            for column in 0..<c.columns { unsafe target[column] += sums[column, r] * alpha }
        }
    } else {
        for r in 0..<c.rows { unsafe addScaled(sums.row(r), alpha, to: c.row(r), c.columns) }
    }
}

/// `sums += a^T b`: `a: [k, m]`, `b: [k, n]`, `sums: [m, n]`. Adds to `sums` in the order of k, so rows may come in parts and the bits
/// stay the same.
public func sumOuterProduct(_ a: Matrix, _ b: Matrix, in sums: MutableMatrix) {
    precondition(
        a.rows == b.rows && (sums.rows, sums.columns) == (a.columns, b.columns), "outer product of other shapes")
    unsafe cvectorkernels_here().pointee.outer_product(
        Int64(a.rows), Int64(a.columns), Int64(b.columns), a.base, Int64(a.stride), b.base, Int64(b.stride), sums.base,
        Int64(sums.stride))
}
