public import Tensors

/// T5's layer norm: `y = x / sqrt(mean(x^2) + eps) * weight`, per row; the mean is not subtracted and there is no bias.
///
/// Overwrites `y: [rows, d]` and `inverse: [rows]` (the reciprocal root, which the backward needs). `x: [rows, d]`.
/// Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.
public func rmsNorm(
    _ x: Matrix, weight: UnsafePointer<Float>, epsilon: Float, into y: MutableMatrix,
    inverse: UnsafeMutablePointer<Float>
) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    let d = x.columns
    for r in 0..<x.rows {
        let (px, py) = unsafe (x.row(r), y.row(r))
        let reciprocal = unsafe 1 / (dot(px, px, d) / Float(d) + epsilon).squareRoot()
        unsafe inverse[r] = reciprocal
        var i = 0
        while i + 16 <= d {
            unsafe py.store(px.lanes(i) * reciprocal * weight.lanes(i), i)
            i += 16
        }
        while i < d {
            unsafe py[i] = px[i] * reciprocal * weight[i]
            i += 1
        }
    }
}

/// Backward of `rmsNorm` for its input.
///
/// With `g = dy * weight`, `xhat = x * inverse`: `dx += inverse * (g - xhat * mean(g * xhat))`. Adds to `dx: [rows, d]`.
public func rmsNormBackward(
    _ dy: Matrix, x: Matrix, weight: UnsafePointer<Float>, inverse: UnsafePointer<Float>, addingTo dx: MutableMatrix
) {
    precondition(x.rows == dy.rows && x.rows == dx.rows && x.columns == dy.columns && x.columns == dx.columns)
    let d = x.columns
    for r in 0..<x.rows {
        let (px, pdy, pdx) = unsafe (x.row(r), dy.row(r), dx.row(r))
        let reciprocal = unsafe inverse[r]
        var sums = SIMD16<Float>.zero
        var i = 0
        while i + 16 <= d {
            unsafe sums += pdy.lanes(i) * weight.lanes(i) * px.lanes(i)
            i += 16
        }
        var projection = sums.sum()
        while i < d {
            unsafe projection += pdy[i] * weight[i] * px[i]
            i += 1
        }
        let factor = projection * reciprocal * reciprocal * reciprocal / Float(d)
        i = 0
        while i + 16 <= d {
            let g = unsafe pdy.lanes(i) * weight.lanes(i)
            unsafe pdx.store(pdx.lanes(i) + (g * reciprocal - px.lanes(i) * factor), i)
            i += 16
        }
        while i < d {
            unsafe pdx[i] += pdy[i] * weight[i] * reciprocal - px[i] * factor
            i += 1
        }
    }
}

/// Backward of `rmsNorm` for its weight: `dweight[i] += sum over the rows of dy * x * inverse`. Adds to `dweight: [d]` row by
/// row.
public func rmsNormWeightBackward(
    _ dy: Matrix, x: Matrix, inverse: UnsafePointer<Float>, addingTo dweight: UnsafeMutablePointer<Float>
) {
    precondition(x.rows == dy.rows && x.columns == dy.columns)
    for r in 0..<x.rows {
        let (px, pdy) = unsafe (x.row(r), dy.row(r))
        let reciprocal = unsafe inverse[r]
        for i in 0..<x.columns { unsafe dweight[i] += pdy[i] * px[i] * reciprocal }
    }
}
