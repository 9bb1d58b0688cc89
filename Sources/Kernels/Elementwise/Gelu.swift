public import Tensors

/// `y = gelu_new(x)`, element by element: overwrites `y`, which may be `x`. Both `[rows, columns]`.
public func gelu(_ x: Matrix, into y: MutableMatrix) {
    precondition(x.rows == y.rows && x.columns == y.columns)
    for r in 0..<x.rows {
        let (px, py) = unsafe (x.row(r), y.row(r))
        for i in stride(from: 0, to: x.columns, by: 16) {
            let n = min(16, x.columns - i)
            if n == 16 {
                unsafe py.store(geluNew(px.lanes(i)).value, i)
            } else {
                unsafe py.store(geluNew(px.lanes(i, count: n, fill: 0)).value, i, count: n)
            }
        }
    }
}

/// Backward of `gelu`: `dx = dy * gelu_new'(x)`. Overwrites `dx`, which may be `dy`. All `[rows, columns]`.
public func geluBackward(_ dy: Matrix, _ x: Matrix, into dx: MutableMatrix) {
    precondition(x.rows == dy.rows && x.columns == dy.columns && x.rows == dx.rows && x.columns == dx.columns)
    for r in 0..<x.rows {
        let (px, pdy, pdx) = unsafe (x.row(r), dy.row(r), dx.row(r))
        for i in stride(from: 0, to: x.columns, by: 16) {
            let n = min(16, x.columns - i)
            if n == 16 {
                unsafe pdx.store(pdy.lanes(i) * geluNew(px.lanes(i)).derivative, i)
            } else {
                let slope = unsafe geluNew(px.lanes(i, count: n, fill: 0)).derivative
                unsafe pdx.store(pdy.lanes(i, count: n, fill: 0) * slope, i, count: n)
            }
        }
    }
}
