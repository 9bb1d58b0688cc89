public import Tensors

/// Layer norm: `xhat = (x - mean(x)) / sqrt(variance(x) + eps)` and `y = xhat * weight + bias`, per row.
///
/// Overwrites `xhat: [rows, d]`, `inverse: [rows]` (the reciprocal root, which the backward needs) and `y: [rows, d]`;
/// `x: [rows, d]`, `xhat` and `y` may be the same memory. The bits of a row do not depend on the other rows.
/// Source: Ba, Kiros and Hinton, "Layer normalization", 2016.
public func layerNorm(
    _ x: Matrix, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, epsilon: Float,
    normalised xhat: MutableMatrix, inverse: UnsafeMutablePointer<Float>, into y: MutableMatrix
) {
    unsafe normalise(x, epsilon: epsilon, into: xhat, inverse: inverse)
    for r in 0..<x.rows { unsafe scaleAndShift(xhat.row(r), weight, bias, into: y.row(r), x.columns) }
}

/// The first half of `layerNorm`: `xhat = (x - mean(x)) / sqrt(variance(x) + eps)`, per row. Overwrites `xhat: [rows, d]`, which
/// may be `x`, and `inverse: [rows]`.
public func normalise(
    _ x: Matrix, epsilon: Float, into xhat: MutableMatrix, inverse: UnsafeMutablePointer<Float>
) {
    precondition(x.rows == xhat.rows && x.columns == xhat.columns)
    let d = x.columns
    for r in 0..<x.rows {
        let (px, py) = unsafe (x.row(r), xhat.row(r))
        let mean = unsafe total(px, d) / Float(d)
        for i in 0..<d { unsafe py[i] = unsafe px[i] - mean }
        let reciprocal = unsafe 1 / (dot(py, py, d) / Float(d) + epsilon).squareRoot()
        for i in 0..<d { unsafe py[i] *= reciprocal }
        unsafe inverse[r] = reciprocal
    }
}

/// The second half of `layerNorm` for one row: `y = xhat * weight + bias`, all `[count]`. Overwrites `y`.
public func scaleAndShift(
    _ xhat: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>, _ count: Int
) {
    for i in 0..<count { unsafe y[i] = unsafe xhat[i] * weight[i] + bias[i] }
}

/// Backward of `normalise`: with `g` the gradient of `xhat`, `dx = inverse * (g - mean(g) - xhat * mean(g * xhat))`, per row.
/// Overwrites `dx: [rows, d]`, which may be `g`.
public func normaliseBackward(
    _ g: Matrix, normalised xhat: Matrix, inverse: UnsafePointer<Float>, into dx: MutableMatrix
) {
    precondition(g.rows == xhat.rows && g.rows == dx.rows && g.columns == xhat.columns && g.columns == dx.columns)
    let d = g.columns
    for r in 0..<g.rows {
        let (pg, px, pdx) = unsafe (g.row(r), xhat.row(r), dx.row(r))
        let mean = unsafe total(pg, d) / Float(d)
        let projection = unsafe dot(pg, px, d) / Float(d)
        let reciprocal = unsafe inverse[r]
        for i in 0..<d { unsafe pdx[i] = unsafe reciprocal * (pg[i] - mean - px[i] * projection) }
    }
}

/// The sum of `count` elements, in sixteen partial sums.
private func total(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var sums = SIMD16<Float>.zero
    var i = 0
    while i + 16 <= count {
        unsafe sums += x.lanes(i)
        i += 16
    }
    var result = sums.sum()
    while i < count {
        unsafe result += x[i]
        i += 1
    }
    return result
}
