import Tensors

/// One bit for each element of a matrix, rows apart: what a backward needs of a ReLU and its dropout. Element (r, c) is
/// bit `c % 8` of byte `c / 8` of row r.
public struct BitMask {
    /// The first byte.
    public let base: UnsafeMutablePointer<UInt8>
    /// Bytes of a row.
    public let stride: Int

    /// Bytes of a mask of this shape.
    public static func byteCount(rows: Int, columns: Int) -> Int { rows * ((columns + 7) / 8) }

    /// A view of `byteCount` bytes.
    public init(_ base: UnsafeMutablePointer<UInt8>, columns: Int) {
        self.base = base
        stride = (columns + 7) / 8
    }

    /// The first byte of a row.
    func row(_ index: Int) -> UnsafeMutablePointer<UInt8> { base + index * stride }
}

/// The bits of eight lanes as a byte.
@inline(__always)
func bits(_ lanes: SIMDMask<SIMD8<Int32>>) -> UInt8 {
    let powers = SIMD8<Int32>(1, 2, 4, 8, 16, 32, 64, 128)
    return UInt8(truncatingIfNeeded: SIMD8<Int32>.zero.replacing(with: powers, where: lanes).wrappedSum())
}

/// `x = max(x, 0)` in place, and in `mask` which elements are not 0. Overwrites both.
public func relu(_ x: Matrix, mask: BitMask) {
    for r in 0..<x.rows {
        let (p, m) = (x.row(r), mask.row(r))
        var i = 0
        while i + 8 <= x.columns {
            let lanes = UnsafeRawPointer(p + i).loadUnaligned(as: SIMD8<Float>.self)
            let value = lanes.replacing(with: 0, where: lanes .< 0)
            UnsafeMutableRawPointer(p + i).storeBytes(of: value, as: SIMD8<Float>.self)
            m[i / 8] = bits(value .!= 0)
            i += 8
        }
        if i < x.columns { m[i / 8] = 0 }
        while i < x.columns {
            if p[i] < 0 { p[i] = 0 }
            if p[i] != 0 { m[i / 8] |= 1 << UInt8(i % 8) }
            i += 1
        }
    }
}

/// Backward of `dropout(relu(x))`: `dx = dy * scale` where the mask has a bit, else 0. Overwrites `dy`.
///
/// An element is 0 when the ReLU or the dropout made it so; both stop the gradient. `scale` is the factor that the dropout
/// gave to what it kept.
public func reluBackward(_ dy: Matrix, mask: BitMask, scale: Float) {
    let powers = SIMD8<UInt8>(1, 2, 4, 8, 16, 32, 64, 128)
    for r in 0..<dy.rows {
        let (pd, m) = (dy.row(r), mask.row(r))
        var i = 0
        while i + 8 <= dy.columns {
            let lanes = UnsafeRawPointer(pd + i).loadUnaligned(as: SIMD8<Float>.self) * scale
            let kept = SIMD8<Int32>(truncatingIfNeeded: SIMD8(repeating: m[i / 8]) & powers) .!= 0
            UnsafeMutableRawPointer(pd + i).storeBytes(
                of: SIMD8<Float>.zero.replacing(with: lanes, where: kept), as: SIMD8<Float>.self)
            i += 8
        }
        while i < dy.columns {
            pd[i] = m[i / 8] >> UInt8(i % 8) & 1 == 1 ? pd[i] * scale : 0
            i += 1
        }
    }
}

/// `y = max(x, 0)` in place: overwrites `x`.
public func relu(_ x: Matrix) {
    for r in 0..<x.rows {
        let p = x.row(r)
        var i = 0
        while i + 16 <= x.columns {
            let lanes = p.lanes(i)
            p.store(lanes.replacing(with: 0, where: lanes .< 0), i)
            i += 16
        }
        while i < x.columns {
            if p[i] < 0 { p[i] = 0 }
            i += 1
        }
    }
}

/// Backward of `dropout(relu(x))`, from its result: `dx = dy * scale` where `y != 0`, else 0.
///
/// An element is 0 when the ReLU or the dropout made it so; both stop the gradient, so the result itself is the mask.
/// `scale` is the factor that the dropout gave to what it kept. Overwrites `dy`.
public func reluBackward(_ dy: Matrix, result y: Matrix, scale: Float) {
    precondition(dy.rows == y.rows && dy.columns == y.columns)
    for r in 0..<y.rows {
        let (py, pd) = (y.row(r), dy.row(r))
        var i = 0
        while i + 16 <= y.columns {
            pd.store((pd.lanes(i) * scale).replacing(with: 0, where: py.lanes(i) .== 0), i)
            i += 16
        }
        while i < y.columns {
            pd[i] = py[i] == 0 ? 0 : pd[i] * scale
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
public func gatedGelu(_ u: Matrix, _ g: Matrix, into y: Matrix) {
    precondition(u.rows == g.rows && u.columns == g.columns && u.rows == y.rows && u.columns == y.columns)
    for r in 0..<u.rows {
        let (pu, pg, py) = (u.row(r), g.row(r), y.row(r))
        var i = 0
        while i < u.columns {
            let n = min(16, u.columns - i)
            if n == 16 {
                py.store(geluNew(pu.lanes(i)).value * pg.lanes(i), i)
            } else {
                let value = geluNew(pu.lanes(i, count: n, fill: 0)).value * pg.lanes(i, count: n, fill: 0)
                py.store(value, i, count: n)
            }
            i += 16
        }
    }
}

/// Backward of `gatedGelu`: `du = dy * g * gelu_new'(u)`, `dg = dy * gelu_new(u)`. Overwrites `u` with `du` and `g`
/// with `dg`, which the forward needs no more.
public func gatedGeluBackward(_ dy: Matrix, _ u: Matrix, _ g: Matrix) {
    precondition(u.rows == g.rows && u.columns == g.columns && u.rows == dy.rows && u.columns == dy.columns)
    for r in 0..<u.rows {
        let (pu, pg, pd) = (u.row(r), g.row(r), dy.row(r))
        var i = 0
        while i < u.columns {
            let n = min(16, u.columns - i)
            let whole = n == 16
            let d = whole ? pd.lanes(i) : pd.lanes(i, count: n, fill: 0)
            let gate = whole ? pg.lanes(i) : pg.lanes(i, count: n, fill: 0)
            let (value, derivative) = geluNew(whole ? pu.lanes(i) : pu.lanes(i, count: n, fill: 0))
            if whole {
                pu.store(d * gate * derivative, i)
                pg.store(d * value, i)
            } else {
                pu.store(d * gate * derivative, i, count: n)
                pg.store(d * value, i, count: n)
            }
            i += 16
        }
    }
}
