import Tensors

extension FrozenWeight {
    /// Calls `body` with rows in float32 and the index of the first of them: either all rows at once, or as many as `products`
    /// has room to expand. The pieces depend on the shape alone, and so do the bits of a product that is put together from
    /// them.
    @inline(__always)
    func forEachPiece(_ products: FrozenProducts, _ body: (Matrix, Int) -> Void) {
        if let matrix { return body(matrix, 0) }
        let most = max(1, FrozenProducts.expandedFloats / max(columns, 1))
        let memory = unsafe products.expanded(min(most, rows) * columns)
        for start in Swift.stride(from: 0, to: rows, by: most) {
            let count = min(most, rows - start)
            unsafe format.elements.expand(row(start), count * columns, into: memory)
            unsafe body(Matrix(memory, rows: count, columns: columns), start)
        }
    }
}
