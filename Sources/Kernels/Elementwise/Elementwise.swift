public import Tensors

/// Sets every element of `y`.
public func fill(_ y: MutableMatrix, _ value: Float) {
    for r in 0..<y.rows {
        unsafe y.row(r).update(repeating: value, count: y.columns)
    }
}

/// `y = x`: overwrites `y`.
public func copy(_ x: Matrix, into y: MutableMatrix) {
    precondition(x.rows == y.rows && x.columns == y.columns, "copy between different shapes")
    for r in 0..<x.rows {
        unsafe y.row(r).update(from: x.row(r), count: x.columns)
    }
}

/// `y += x`: adds to `y`.
public func add(_ x: Matrix, to y: MutableMatrix) {
    precondition(x.rows == y.rows && x.columns == y.columns, "sum of different shapes")
    for r in 0..<x.rows {
        unsafe addScaled(x.row(r), 1, to: y.row(r), x.columns)
    }
}

/// `y = a + b`: overwrites `y`.
public func sum(_ a: Matrix, _ b: Matrix, into y: MutableMatrix) {
    precondition(a.rows == b.rows && a.columns == b.columns && a.rows == y.rows && a.columns == y.columns)
    for r in 0..<y.rows {
        let (pa, pb, py) = unsafe (a.row(r), b.row(r), y.row(r))
        var i = 0
        while i + 16 <= y.columns {
            unsafe py.store(pa.lanes(i) + pb.lanes(i), i)
            i += 16
        }
        while i < y.columns {
            unsafe py[i] = pa[i] + pb[i]
            i += 1
        }
    }
}

/// `y *= factor`: overwrites `y`.
public func scale(_ y: MutableMatrix, by factor: Float) {
    for r in 0..<y.rows {
        let p = unsafe y.row(r)
        var i = 0
        while i + 16 <= y.columns {
            unsafe p.store(p.lanes(i) * factor, i)
            i += 16
        }
        while i < y.columns {
            unsafe p[i] *= factor
            i += 1
        }
    }
}

/// `y = x * factors`, the same factors `[columns]` for every row: overwrites `y`; `x` and `y` may be the same.
public func scaleColumns(_ x: Matrix, by factors: UnsafePointer<Float>, into y: MutableMatrix) {
    precondition(x.rows == y.rows && x.columns == y.columns, "scaling between different shapes")
    for r in 0..<x.rows {
        let (px, py) = unsafe (x.row(r), y.row(r))
        for i in 0..<x.columns {
            unsafe py[i] = px[i] * factors[i]
        }
    }
}

/// `y[c] += sum over rows of a[r, c] * b[r, c]`: adds to `y: [columns]`.
public func addColumnDots(_ a: Matrix, _ b: Matrix, to y: UnsafeMutablePointer<Float>) {
    precondition(a.rows == b.rows && a.columns == b.columns, "dot products of different shapes")
    for r in 0..<a.rows {
        let (pa, pb) = unsafe (a.row(r), b.row(r))
        for i in 0..<a.columns {
            unsafe y[i] += pa[i] * pb[i]
        }
    }
}

/// `y[c] += sum over rows of x[r, c]`: adds to `y: [columns]`.
public func addColumnSums(_ x: Matrix, to y: UnsafeMutablePointer<Float>) {
    for r in 0..<x.rows {
        unsafe addScaled(x.row(r), 1, to: y, x.columns)
    }
}
