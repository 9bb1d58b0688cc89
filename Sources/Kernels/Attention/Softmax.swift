import CVectorKernels
public import Tensors

/// Softmax of attention scores, in place: row r becomes `p[j] = exp(s[j] + bias[j - r] - max) / sum` for `j < visible + r * growth`,
/// and 0 in the other columns.
///
/// Overwrites `scores`, which has no gaps between rows; `bias`, for the columns of the first row, may be nil.
public func softmax(_ scores: MutableMatrix, bias: UnsafePointer<Float>?, visible: Int, growth: Int = 0) {
    precondition(scores.rows <= 1 || scores.stride == scores.columns, "scores with gaps between rows")
    var rows = unsafe cvectorkernels_scores(
        base: scores.base, rows: Int64(scores.rows), columns: Int64(scores.columns), bias: bias,
        visible: Int64(visible),
        growth: Int64(growth))
    unsafe cvectorkernels_here().pointee.softmax(&rows)
}

/// Backward of softmax for one row: `ds = p * (dp - sum(dp * p))`. Overwrites `dp: [count]` with `ds`.
public func softmaxRowBackward(_ p: UnsafePointer<Float>, _ dp: UnsafeMutablePointer<Float>, _ count: Int) {
    unsafe cvectorkernels_here().pointee.softmax_backward(p, dp, Int64(count))
}

/// The largest of `count` elements; -infinity when there are none. It may or may not notice a NaN.
public func maximum(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var tops = SIMD16<Float>(repeating: -.infinity)
    var i = 0
    while i + 16 <= count {
        let lanes = unsafe x.lanes(i)
        tops.replace(with: lanes, where: lanes .> tops)
        i += 16
    }
    var top = tops.max()
    while i < count {
        top = unsafe max(top, x[i])
        i += 1
    }
    return top
}
