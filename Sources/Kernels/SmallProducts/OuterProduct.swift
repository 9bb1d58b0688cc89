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
    let (m, n) = (a.columns, b.columns)
    let sums = workspace.zeroMatrix((m + 3) / 4 * 4, (n + 15) / 16 * 16)
    let rowsAtOnce = 8
    for start in stride(from: 0, to: a.rows, by: rowsAtOnce) {
        let count = min(rowsAtOnce, a.rows - start)
        for column in stride(from: 0, to: n, by: 16) {
            let width = min(16, n - column)
            for row in stride(from: 0, to: m, by: 4) {
                unsafe addFourRows(
                    a.row(start) + row, a.stride, min(4, m - row), b.row(start) + column, b.stride, width, count,
                    to: sums.row(row) + column, sums.stride)
            }
        }
    }
    if transposed {
        for r in 0..<c.rows {
            let target = unsafe c.row(r)
            for column in 0..<c.columns { unsafe target[column] += sums[column, r] * alpha }
        }
    } else {
        for r in 0..<c.rows { unsafe addScaled(sums.row(r), alpha, to: c.row(r), c.columns) }
    }
}

@inline(__always)
private func addFourRows(
    _ a: UnsafePointer<Float>, _ aStep: Int, _ rows: Int, _ b: UnsafePointer<Float>, _ bStep: Int, _ width: Int,
    _ count: Int, to c: UnsafeMutablePointer<Float>, _ cStep: Int
) {
    var (sum0, sum1, sum2, sum3) = unsafe (c.lanes(0), c.lanes(cStep), c.lanes(2 &* cStep), c.lanes(3 &* cStep))
    let (last1, last2, last3) = (min(1, rows - 1), min(2, rows - 1), min(3, rows - 1))
    var (a, b) = unsafe (a, b)
    var left = count
    while left > 0 {
        let lanes = unsafe width == 16 ? b.lanes(0) : b.lanes(0, count: width, fill: 0)
        unsafe multiplyAdd(SIMD16(repeating: a[0]), lanes, to: &sum0)
        unsafe multiplyAdd(SIMD16(repeating: a[last1]), lanes, to: &sum1)
        unsafe multiplyAdd(SIMD16(repeating: a[last2]), lanes, to: &sum2)
        unsafe multiplyAdd(SIMD16(repeating: a[last3]), lanes, to: &sum3)
        unsafe a += aStep
        unsafe b += bStep
        left &-= 1
    }
    unsafe c.store(sum0, 0)
    unsafe c.store(sum1, cStep)
    unsafe c.store(sum2, 2 &* cStep)
    unsafe c.store(sum3, 3 &* cStep)
}
