public import Tensors

/// `y = alpha * x W^T`, or `y += alpha * x W^T`, for rows that must not depend on their neighbours: `x: [m, k]`,
/// `w: [n, k]`, `y: [m, n]`. Overwrites `y` (whatever it held) or adds to it.
///
/// Every element is the dot product of a row of `x` and a row of `w`, in eight partial sums whose order depends on k alone. So
/// its bits are the same whatever the other rows and columns are and wherever the row and column stand among them. No BLAS
/// promises that: its kernels sum the last rows of a product in another order than the rest. Nothing is copied into panels, so
/// a few rows cost no more than reading `w` once.
public func rowProduct(_ x: Matrix, _ w: Matrix, into y: MutableMatrix, alpha: Float = 1, adding: Bool = false) {
    precondition(
        x.columns == w.columns && x.rows == y.rows && w.rows == y.columns,
        "row product of [\(x.rows),\(x.columns)] x [\(w.rows),\(w.columns)]^T into \(y.rows)x\(y.columns)")
    // A block is as many rows of x, in pairs, as stay in a core's second-level cache while `w` passes by.
    let block = max(2, min(48, 24_576 / max(x.columns, 1) / 2 * 2))
    for start in stride(from: 0, to: x.rows, by: block) {
        let end = min(start + block, x.rows)
        for column in stride(from: 0, to: w.rows, by: 4) {
            let four = unsafe FourRows(w, from: column)
            for row in stride(from: start, to: end - 1, by: 2) {
                let sums = unsafe four.times(x.row(row), x.row(row + 1))
                unsafe store(sums.0, alpha, adding, y.row(row) + column, four.count)
                unsafe store(sums.1, alpha, adding, y.row(row + 1) + column, four.count)
            }
            if (end - start) % 2 == 1 {
                unsafe store(four.times(x.row(end - 1)), alpha, adding, y.row(end - 1) + column, four.count)
            }
        }
    }
}

@inline(__always)
private func store(
    _ sums: SIMD4<Float>, _ alpha: Float, _ adding: Bool, _ y: UnsafeMutablePointer<Float>, _ count: Int
) {
    let scaled = sums * alpha
    for i in 0..<count { unsafe y[i] = adding ? y[i] + scaled[i] : scaled[i] }
}

/// Up to four rows of the right operand. Missing ones repeat the last row; their products are not stored.
///
/// Unsafe, because it neither owns the memory nor checks its loops.
@unsafe private struct FourRows {
    let first: UnsafePointer<Float>
    let second: UnsafePointer<Float>
    let third: UnsafePointer<Float>
    let fourth: UnsafePointer<Float>
    @safe let width: Int
    /// How many rows there really are.
    @safe let count: Int

    @inline(__always)
    init(_ w: Matrix, from row: Int) {
        let last = w.rows - 1
        unsafe first = w.row(row)
        unsafe second = w.row(min(row + 1, last))
        unsafe third = w.row(min(row + 2, last))
        unsafe fourth = w.row(min(row + 3, last))
        width = w.columns
        count = min(4, w.rows - row)
    }

    /// The dot products of one row with the four rows.
    @inline(__always)
    func times(_ x: UnsafePointer<Float>) -> SIMD4<Float> {
        var sums = Sums()
        var k = 0
        while k &+ 8 <= width {
            unsafe sums.add(x.eight(k, 8), first.eight(k, 8), second.eight(k, 8), third.eight(k, 8), fourth.eight(k, 8))
            k &+= 8
        }
        if k < width {
            let left = width &- k
            unsafe sums.add(
                x.eight(k, left), first.eight(k, left), second.eight(k, left), third.eight(k, left),
                fourth.eight(k, left))
        }
        return sums.total
    }

    /// The dot products of two rows with the four rows, so that each number that is loaded is used more than once.
    @inline(__always)
    func times(_ x0: UnsafePointer<Float>, _ x1: UnsafePointer<Float>) -> (SIMD4<Float>, SIMD4<Float>) {
        var (sums0, sums1) = (Sums(), Sums())
        var k = 0
        while k &+ 8 <= width {
            let (w0, w1, w2, w3) = unsafe (first.eight(k, 8), second.eight(k, 8), third.eight(k, 8), fourth.eight(k, 8))
            unsafe sums0.add(x0.eight(k, 8), w0, w1, w2, w3)
            unsafe sums1.add(x1.eight(k, 8), w0, w1, w2, w3)
            k &+= 8
        }
        if k < width {
            let left = width &- k
            let (w0, w1, w2, w3) = unsafe (
                first.eight(k, left), second.eight(k, left), third.eight(k, left), fourth.eight(k, left)
            )
            unsafe sums0.add(x0.eight(k, left), w0, w1, w2, w3)
            unsafe sums1.add(x1.eight(k, left), w0, w1, w2, w3)
        }
        return (sums0.total, sums1.total)
    }
}

/// Adds `a * b` to `sum`; rounds only once when the processor can and the build allows it (trait AVX2, arm64).
@inline(__always)
private func multiplyAdd(_ a: SIMD8<Float>, _ b: SIMD8<Float>, to sum: inout SIMD8<Float>) {
    #if AVX2 || arch(arm64)
        sum.addProduct(a, b)
    #else
        sum += a * b
    #endif
}

/// Eight partial sums of each of four dot products.
private struct Sums {
    private var first = SIMD8<Float>.zero
    private var second = SIMD8<Float>.zero
    private var third = SIMD8<Float>.zero
    private var fourth = SIMD8<Float>.zero

    @inline(__always)
    mutating func add(
        _ x: SIMD8<Float>, _ w0: SIMD8<Float>, _ w1: SIMD8<Float>, _ w2: SIMD8<Float>, _ w3: SIMD8<Float>
    ) {
        multiplyAdd(x, w0, to: &first)
        multiplyAdd(x, w1, to: &second)
        multiplyAdd(x, w2, to: &third)
        multiplyAdd(x, w3, to: &fourth)
    }

    /// The total: halves are added to halves, in an order that only this code decides.
    @inline(__always) var total: SIMD4<Float> {
        SIMD4(Self.sum(first), Self.sum(second), Self.sum(third), Self.sum(fourth))
    }

    @inline(__always)
    private static func sum(_ lanes: SIMD8<Float>) -> Float {
        let four = lanes.lowHalf + lanes.highHalf
        let two = four.lowHalf + four.highHalf
        return two[0] + two[1]
    }
}
