import CVectorKernels
public import Tensors

/// `x = max(x, 0)` in place; `mask` gets a bit for each element that is not 0. Overwrites both.
public func relu(_ x: MutableMatrix, mask: BitMask) {
    mask.check(x)
    guard x.rows > 0 else { return }
    unsafe cvectorkernels_here().pointee.relu(
        nil, x.base, Int64(x.stride), mask.row(0), Int64(mask.stride), Int64(x.rows), Int64(x.columns), 0)
}

/// Backward of `dropout(relu(x))`: `dx = dy * scale` where the mask has a bit, else 0. Overwrites `dy`.
///
/// An element is 0 when the ReLU or the dropout made it 0; both stop the gradient. `scale` is the factor by which the dropout
/// multiplied the elements that it kept.
public func reluBackward(_ dy: MutableMatrix, mask: BitMask, scale: Float) {
    mask.apply(dy.readOnly, scale: scale, into: dy)
}

/// `y = max(x, 0)` in place: overwrites `x`.
public func relu(_ x: MutableMatrix) {
    for r in 0..<x.rows {
        let p = unsafe x.row(r)
        var i = 0
        while i + 16 <= x.columns {
            let lanes = unsafe p.lanes(i)
            unsafe p.store(lanes.replacing(with: 0, where: lanes .< 0), i)
            i += 16
        }
        while i < x.columns {
            if unsafe p[i] < 0 { unsafe p[i] = 0 }
            i += 1
        }
    }
}

/// Backward of `dropout(relu(x))`, from its result: `dx = dy * scale` where `y != 0`, else 0.
///
/// An element is 0 when the ReLU or the dropout made it 0; both stop the gradient, so the result itself is the mask. `scale` is
/// the factor by which the dropout multiplied the elements that it kept. Overwrites `dy`.
public func reluBackward(_ dy: MutableMatrix, result y: Matrix, scale: Float) {
    precondition(dy.rows == y.rows && dy.columns == y.columns)
    for r in 0..<y.rows {
        let (py, pd) = unsafe (y.row(r), dy.row(r))
        var i = 0
        while i + 16 <= y.columns {
            unsafe pd.store((pd.lanes(i) * scale).replacing(with: 0, where: py.lanes(i) .== 0), i)
            i += 16
        }
        while i < y.columns {
            unsafe pd[i] = py[i] == 0 ? 0 : pd[i] * scale
            i += 1
        }
    }
}

/// tanh in each lane, by `1 - 2 / (e^2u + 1)`.
@inlinable @inline(__always)
func hyperbolicTangent(_ u: SIMD16<Float>) -> SIMD16<Float> {
    let limited = limit(u, -15, 15)
    return 1 - 2 / (exponential(limited + limited) + 1)
}

/// `gelu_new(x) = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))` and its derivative.
@inlinable @inline(__always)
func geluNew(_ x: SIMD16<Float>) -> (value: SIMD16<Float>, derivative: SIMD16<Float>) {
    let square = x * x
    let inner = x * (square * 0.044_715 + 1) * 0.797_884_56
    let t = hyperbolicTangent(inner)
    let half = x * 0.5
    let slope = (square * 0.134_145 + 1) * 0.797_884_56
    let value = half * (t + 1)
    let derivative = (t + 1) * 0.5 + half * (1 - t * t) * slope
    return (value, derivative)
}

/// `y = gelu_new(u) * g`: overwrites `y`. All `[rows, d_ff]`. Source: Shazeer, "GLU variants improve transformer", 2020.
public func gatedGelu(_ u: Matrix, _ g: Matrix, into y: MutableMatrix) {
    precondition(u.rows == g.rows && u.columns == g.columns && u.rows == y.rows && u.columns == y.columns)
    for r in 0..<u.rows {
        let (pu, pg, py) = unsafe (u.row(r), g.row(r), y.row(r))
        var i = 0
        while i < u.columns {
            let n = min(16, u.columns - i)
            if n == 16 {
                unsafe py.store(geluNew(pu.lanes(i)).value * pg.lanes(i), i)
            } else {
                let value = unsafe geluNew(pu.lanes(i, count: n, fill: 0)).value * pg.lanes(i, count: n, fill: 0)
                unsafe py.store(value, i, count: n)
            }
            i += 16
        }
    }
}

/// Backward of `gatedGelu`: `du = dy * g * gelu_new'(u)`, `dg = dy * gelu_new(u)`. Overwrites `u` with `du` and `g` with `dg`,
/// since nothing needs the forward's values any more.
public func gatedGeluBackward(_ dy: Matrix, _ u: MutableMatrix, _ g: MutableMatrix) {
    precondition(u.rows == g.rows && u.columns == g.columns && u.rows == dy.rows && u.columns == dy.columns)
    for r in 0..<u.rows {
        let (pu, pg, pd) = unsafe (u.row(r), g.row(r), dy.row(r))
        var i = 0
        while i < u.columns {
            let n = min(16, u.columns - i)
            let whole = n == 16
            let d = unsafe whole ? pd.lanes(i) : pd.lanes(i, count: n, fill: 0)
            let gate = unsafe whole ? pg.lanes(i) : pg.lanes(i, count: n, fill: 0)
            let (value, derivative) = unsafe geluNew(whole ? pu.lanes(i) : pu.lanes(i, count: n, fill: 0))
            if whole {
                unsafe pu.store(d * gate * derivative, i)
                unsafe pg.store(d * value, i)
            } else {
                unsafe pu.store(d * gate * derivative, i, count: n)
                unsafe pg.store(d * value, i, count: n)
            }
            i += 16
        }
    }
}
