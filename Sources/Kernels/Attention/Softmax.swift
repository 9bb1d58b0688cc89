/// Softmax of one row of attention scores, in place: `p[j] = exp(s[j] + bias[j] - max) / sum` for `j < visible`, and 0 for the
/// other columns.
///
/// Overwrites `scores: [count]`; `bias: [visible]` may be nil.
public func softmaxRow(
    _ scores: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?, visible: Int, count: Int
) {
    if let bias = unsafe bias {
        unsafe addScaled(bias, 1, to: scores, visible)
    }
    let top = unsafe maximum(scores, visible)
    var sums = SIMD16<Float>.zero
    var i = 0
    while i + 16 <= visible {
        let e = unsafe exponential(scores.lanes(i) - top)
        unsafe scores.store(e, i)
        sums += e
        i += 16
    }
    if i < visible {
        // The lanes that were filled in become e^-inf = 0 and add nothing.
        let e = unsafe exponential(scores.lanes(i, count: visible - i, fill: -.infinity) - top)
        unsafe scores.store(e, i, count: visible - i)
        sums += e
    }
    let reciprocal = 1 / sums.sum()
    for j in 0..<visible {
        unsafe scores[j] *= reciprocal
    }
    for j in visible..<count {
        unsafe scores[j] = 0
    }
}

/// Backward of softmax for one row: `ds = p * (dp - sum(dp * p))`. Overwrites `dp: [count]` with `ds`.
public func softmaxRowBackward(_ p: UnsafePointer<Float>, _ dp: UnsafeMutablePointer<Float>, _ count: Int) {
    let projection = unsafe dot(p, dp, count)
    var i = 0
    while i + 16 <= count {
        unsafe dp.store(p.lanes(i) * (dp.lanes(i) - projection), i)
        i += 16
    }
    while i < count {
        unsafe dp[i] = p[i] * (dp[i] - projection)
        i += 1
    }
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
