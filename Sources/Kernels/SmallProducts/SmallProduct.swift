public import Tensors

/// Adds `a * b` to `sum`; rounds only once when the processor can and the build allows it (trait AVX2, arm64).
@inline(__always)
func multiplyAdd(_ a: SIMD16<Float>, _ b: SIMD16<Float>, to sum: inout SIMD16<Float>) {
    #if AVX2 || arch(arm64)
        sum.addProduct(a, b)
    #else
        sum += a * b
    #endif
}

/// The same for eight lanes.
@inline(__always)
func multiplyAdd(_ a: SIMD8<Float>, _ b: SIMD8<Float>, to sum: inout SIMD8<Float>) {
    #if AVX2 || arch(arm64)
        sum.addProduct(a, b)
    #else
        sum += a * b
    #endif
}

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
    if min(k, n) > 64 {
        guard independentRows else { return gemm(a, b, into: c, alpha: alpha, beta: adding ? 1 : 0) }
        if case (.asIs(let x), .transposed(let w)) = (a, b) {
            return rowProduct(x, w, into: c, alpha: alpha, adding: adding)
        }
    }
    let mark = workspace.mark
    defer { workspace.release(to: mark) }
    let panels = unsafe Panels(b, uses: m, workspace)
    let (rowStep, innerStep) =
        switch a {
        case .asIs(let matrix): (matrix.stride, 1)
        case .transposed(let matrix): (1, matrix.stride)
        }
    let base = unsafe a.matrix.base
    for row in stride(from: 0, to: m, by: 4) {
        let count = min(4, m - row)
        for column in stride(from: 0, to: n, by: 16) {
            let width = min(16, n - column)
            let sums = unsafe fourRows(base + row * rowStep, count, rowStep, innerStep, panels, column / 16)
            unsafe store(sums.0, alpha, adding, c.row(row) + column, width)
            if count > 1 { unsafe store(sums.1, alpha, adding, c.row(row + 1) + column, width) }
            if count > 2 { unsafe store(sums.2, alpha, adding, c.row(row + 2) + column, width) }
            if count > 3 { unsafe store(sums.3, alpha, adding, c.row(row + 3) + column, width) }
        }
    }
}

/// Up to four rows of `a` times a panel. Missing rows repeat the last one; their sums are not stored.
@inline(__always)
private func fourRows(
    _ a: UnsafePointer<Float>, _ count: Int, _ rowStep: Int, _ innerStep: Int, _ panels: Panels, _ number: Int
) -> (SIMD16<Float>, SIMD16<Float>, SIMD16<Float>, SIMD16<Float>) {
    var (sum0, sum1, sum2, sum3) = (
        SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero, SIMD16<Float>.zero
    )
    let (row1, row2, row3) = (min(1, count - 1) &* rowStep, min(2, count - 1) &* rowStep, min(3, count - 1) &* rowStep)
    var (a, panel) = unsafe (a, panels.base + number * panels.panelStride)
    var left = panels.rows
    while left > 0 {
        let b = unsafe panel.lanes(0)
        unsafe multiplyAdd(SIMD16(repeating: a[0]), b, to: &sum0)
        unsafe multiplyAdd(SIMD16(repeating: a[row1]), b, to: &sum1)
        unsafe multiplyAdd(SIMD16(repeating: a[row2]), b, to: &sum2)
        unsafe multiplyAdd(SIMD16(repeating: a[row3]), b, to: &sum3)
        unsafe a += innerStep
        unsafe panel += panels.rowStride
        left &-= 1
    }
    return (sum0, sum1, sum2, sum3)
}

@inline(__always)
private func store(
    _ sum: SIMD16<Float>, _ alpha: Float, _ adding: Bool, _ c: UnsafeMutablePointer<Float>, _ width: Int
) {
    if width == 16 {
        unsafe c.store(adding ? c.lanes(0) + sum * alpha : sum * alpha, 0)
        return
    }
    for i in 0..<width {
        unsafe c[i] = adding ? c[i] + sum[i] * alpha : sum[i] * alpha
    }
}

/// The right operand of a product, `[k, n]`, read in panels of sixteen columns.
///
/// A matrix without gaps whose width is a multiple of sixteen is read in place. Any other matrix, or a transposed one, is
/// copied into consecutive panels of `[k, 16]`; the last panel is filled with zeros. A band of a wide matrix is also copied
/// when it is used often: its rows are a power of two apart and would evict each other from the cache.
///
/// Unsafe, because it neither owns the memory nor checks its loops.
@unsafe private struct Panels {
    let base: UnsafePointer<Float>
    /// k.
    @safe let rows: Int
    /// Elements from row to row of a panel.
    @safe let rowStride: Int
    /// Elements from panel to panel.
    @safe let panelStride: Int

    /// Uses `b` or its transpose; a copy lives in `workspace` until the caller gives that memory back.
    init(_ b: Operand, uses: Int, _ workspace: Workspace) {
        let m = b.matrix
        let columns: Int
        (rows, columns) = b.shape
        if case .asIs = b, m.columns % 16 == 0, m.stride == m.columns || uses <= 8 {
            unsafe (base, rowStride, panelStride) = (m.base, m.stride, 16)
            return
        }
        let memory = unsafe workspace.take(Float.self, (columns + 15) / 16 * 16 * rows)
        unsafe (base, rowStride, panelStride) = (UnsafePointer(memory), 16, 16 * rows)
        switch b {
        case .asIs: unsafe Self.copy(m, into: memory)
        case .transposed: unsafe Self.copyTransposed(m, into: memory)
        }
    }

    private static func copy(_ m: Matrix, into memory: UnsafeMutablePointer<Float>) {
        for start in Swift.stride(from: 0, to: m.columns, by: 16) {
            let panel = unsafe memory + start * m.rows
            let width = min(16, m.columns - start)
            for r in 0..<m.rows {
                let source = unsafe m.row(r)
                unsafe panel.store(
                    width == 16 ? source.lanes(start) : source.lanes(start, count: width, fill: 0), r * 16)
            }
        }
    }

    /// Copies sixteen rows of `m` into the columns of a panel.
    private static func copyTransposed(_ m: Matrix, into memory: UnsafeMutablePointer<Float>) {
        for start in Swift.stride(from: 0, to: m.rows, by: 16) {
            let panel = unsafe memory + start * m.columns
            let width = min(16, m.rows - start)
            for r in 0..<width {
                let source = unsafe m.row(start + r)
                for c in 0..<m.columns {
                    unsafe panel[c * 16 + r] = source[c]
                }
            }
            for r in width..<16 {
                for c in 0..<m.columns {
                    unsafe panel[c * 16 + r] = 0
                }
            }
        }
    }
}
