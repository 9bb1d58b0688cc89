import Tensors

/// A frozen weight `[rows, columns]` in the format that it is kept in.
public enum FrozenWeight: @unchecked Sendable {
    /// As products use it.
    case float32(Matrix)
    /// Without gaps between rows, each number the upper half of a float32: half the memory, expanded piece by piece as it is
    /// used.
    case bfloat16(UnsafePointer<UInt16>, rows: Int, columns: Int)

    /// Number of rows.
    public var rows: Int {
        switch self {
        case .float32(let matrix): matrix.rows
        case .bfloat16(_, let rows, _): rows
        }
    }

    /// Number of columns.
    public var columns: Int {
        switch self {
        case .float32(let matrix): matrix.columns
        case .bfloat16(_, _, let columns): columns
        }
    }

    /// All elements, row by row.
    public func copied() -> [Float] {
        switch self {
        case .float32(let matrix): matrix.copied()
        case .bfloat16(let base, let rows, let columns):
            [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
                count = rows * columns
                if let target = buffer.baseAddress { expandBFloat16(base, count, into: target) }
            }
        }
    }

    /// Overwrites `target: [rows * columns]` with all elements, row by row.
    public func copy(into target: UnsafeMutablePointer<Float>) {
        switch self {
        case .float32(let matrix):
            for row in 0..<rows { (target + row * columns).update(from: matrix.row(row), count: columns) }
        case .bfloat16(let base, let rows, let columns): expandBFloat16(base, rows * columns, into: target)
        }
    }

    /// Adds row `index` to `y: [columns]`.
    public func addRow(_ index: Int, to y: UnsafeMutablePointer<Float>) {
        precondition(index >= 0 && index < rows, "row outside the weight")
        switch self {
        case .float32(let matrix): addScaled(matrix.row(index), 1, to: y, matrix.columns)
        case .bfloat16(let base, _, let columns):
            let row = base + index * columns
            for c in 0..<columns { y[c] += floatFromBFloat16(row[c]) }
        }
    }

    /// Calls `body` with rows in float32 and the number of the first of them: all at once, or as many as `products` has room
    /// to expand. The pieces depend on the shape alone, and so do the bits of a product that is put together from them.
    @inline(__always)
    func forEachPiece(_ products: FrozenProducts, _ body: (Matrix, Int) -> Void) {
        switch self {
        case .float32(let matrix): body(matrix, 0)
        case .bfloat16(let base, let rows, let columns):
            let most = max(1, FrozenProducts.expandedFloats / max(columns, 1))
            let memory = products.expanded(min(most, rows) * columns)
            for start in stride(from: 0, to: rows, by: most) {
                let count = min(most, rows - start)
                expandBFloat16(base + start * columns, count * columns, into: memory)
                body(Matrix(memory, rows: count, columns: columns), start)
            }
        }
    }
}

/// Row `i` of `y` = row `ids[i]` of `table`: overwrites `y: [count, columns]`.
public func gatherRows(_ table: FrozenWeight, _ ids: UnsafePointer<Int32>, into y: Matrix) {
    precondition(table.columns == y.columns, "gather between different widths")
    for r in 0..<y.rows {
        let id = Int(ids[r])
        precondition(id >= 0 && id < table.rows, "token id outside the embedding")
        switch table {
        case .float32(let matrix): y.row(r).update(from: matrix.row(id), count: y.columns)
        case .bfloat16(let base, _, let columns): expandBFloat16(base + id * columns, columns, into: y.row(r))
        }
    }
}

/// Overwrites `target: [count]` with the floats of bfloat16 numbers.
private func expandBFloat16(_ source: UnsafePointer<UInt16>, _ count: Int, into target: UnsafeMutablePointer<Float>) {
    let whole = count / 16 * 16
    for i in stride(from: 0, to: whole, by: 16) {
        let halves = UnsafeRawPointer(source + i).loadUnaligned(as: SIMD16<UInt16>.self)
        let bits = SIMD16<UInt32>(truncatingIfNeeded: halves) &<< SIMD16<UInt32>(repeating: 16)
        target.store(unsafeBitCast(bits, to: SIMD16<Float>.self), i)
    }
    for i in whole..<count { target[i] = floatFromBFloat16(source[i]) }
}
