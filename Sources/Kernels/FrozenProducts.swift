import Tensors

#if OneDNN
    import CDNNL
#endif

/// One worker's products with packed weights: what oneDNN prepares for each number of rows, made once, and memory for rows
/// rounded to 8 bits.
///
/// A product of oneDNN's of any number of rows is put together from a few sizes, so that the preparations are few. The last
/// piece may overlap the one before; with AVX-512 and with 8 bits an element has the same bits whichever piece computes it,
/// and else at least the same number of rows gives the same bits.
public final class FrozenProducts {
    /// Sizes of pieces, in rows: what the rows are cut into, and what ends them.
    static let large = [256, 128, 64]
    static let small = Array(1...16) + [24, 32, 40, 48, 56, 64]

    /// Floats of bfloat16 weights that are expanded at once: as many as a core's second cache holds.
    static let expandedFloats = 1 << 17
    /// Bytes that a worker takes to expand weights of a T5.
    public static var expandedBytes: Int { expandedFloats * MemoryLayout<Float>.stride }
    private var expandedWeights: Arena?

    private let library: PackingLibrary?
    /// Rows rounded to 8 bits, as oneDNN and as `IntegerProducts` takes them, and the factor of each.
    private var wholes: Arena?
    private var rowFactors: [Float] = []

    /// Products of weights that `library` packed; nil where nothing is packed.
    public init(_ library: PackingLibrary? = nil) { self.library = library }

    /// Memory for `count` floats, the same in every call, until a later one asks for more.
    func expanded(_ count: Int) -> UnsafeMutablePointer<Float> {
        if let expandedWeights, expandedWeights.count >= count { return expandedWeights.base }
        let memory = Arena(count: max(count, Self.expandedFloats), for: .activations)
        expandedWeights = memory
        return memory.base
    }

    /// `y = x w`: `x: [rows, inner]`, overwrites `y: [rows, columns]`; both without gaps between rows.
    func multiply(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
        precondition(x.stride == x.columns && y.stride == y.columns, "packed products need rows without gaps")
        switch w.layout {
        case .oneDNN(.float32): run(x.base, MemoryLayout<Float>.stride, x.rows, w, .float32, into: y)
        case .oneDNN(.int8): multiplyBytes(x, w, into: y)
        case .panels: multiplyPanels(x, w, into: y)
        }
    }

    /// Rounds the rows to 8 bits, multiplies, and gives the sums their factors as they are stored.
    private func multiplyPanels(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
        let numbers = quantise(x, width: IntegerProducts.rowWidth(w), as: Int16.self)
        IntegerProducts.multiply(numbers, rows: x.rows, rowFactors: rowFactors, w, into: y.base, stride: y.stride)
    }

    /// The rows rounded, each followed by zeros up to `width`; valid until the next call. Keeps their factors.
    @inline(__always)
    private func quantise<Whole: FixedWidthInteger & SIMDScalar & BitwiseCopyable>(
        _ x: Matrix, width: Int, as type: Whole.Type
    ) -> UnsafeMutablePointer<Whole> {
        let floats = (x.rows * width * MemoryLayout<Whole>.stride + 3) / MemoryLayout<Float>.stride
        // What is too small goes before the larger one comes.
        if let small = wholes, small.count < floats { wholes = nil }
        let memory = wholes ?? Arena(count: floats, for: .activations)
        wholes = memory
        if rowFactors.count < x.rows { rowFactors = [Float](repeating: 0, count: x.rows) }
        let base = UnsafeMutableRawPointer(memory.base).bindMemory(to: type, capacity: x.rows * width)
        for r in 0..<x.rows {
            let row = base + r * width
            rowFactors[r] = Kernels.quantise(x.row(r), into: row, x.columns)
            (row + x.columns).update(repeating: 0, count: width - x.columns)
        }
        return base
    }

    #if OneDNN
        private struct Shape: Hashable {
            let rows: Int
            let inner: Int
            let columns: Int
            let precision: ProductPrecision
        }

        private var prepared: [Shape: OpaquePointer] = [:]

        deinit {
            for product in prepared.values { cdnnl_product_destroy(product) }
        }

        /// Rounds the rows to 8 bits, multiplies, and gives the sums in `y` their factors.
        private func multiplyBytes(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
            let rows = quantise(x, width: x.columns, as: Int8.self)
            run(rows, MemoryLayout<Int8>.stride, x.rows, w, .int8, into: y)
            for r in 0..<x.rows {
                dequantiseRow(y.row(r), rowFactor: rowFactors[r], columnFactors: w.factors, y.columns)
            }
        }

        /// The product itself, piece by piece; an element of `x` has `size` bytes.
        private func run(
            _ x: UnsafeRawPointer, _ size: Int, _ rows: Int, _ w: PackedWeight, _ precision: ProductPrecision,
            into y: Matrix
        ) {
            Self.forEachPiece(of: rows) { start, count in
                let product = preparation(
                    Shape(rows: count, inner: w.inner, columns: w.columns, precision: precision))
                let status = cdnnl_product_run(product, x + start * w.inner * size, w.packed, y.row(start))
                precondition(status == 0, "oneDNN failed in a product that it had prepared (status \(status))")
            }
        }

        private func preparation(_ shape: Shape) -> OpaquePointer {
            if let product = prepared[shape] { return product }
            guard let engine = library?.engine else {
                preconditionFailure("packed weights without the library that packed them")
            }
            var product: OpaquePointer?
            let status = cdnnl_product_create(
                engine, shape.precision.type, Int64(shape.rows), Int64(shape.inner), Int64(shape.columns),
                &product)
            // dnnl_out_of_memory
            if status == 1 {
                Memory.end(Memory.shortage(shape.rows * (shape.inner + shape.columns) * 4, .activations))
            }
            guard status == 0, let product else {
                preconditionFailure("oneDNN cannot prepare a product of packed weights (status \(status))")
            }
            prepared[shape] = product
            return product
        }
    #else
        private func multiplyBytes(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
            preconditionFailure("weights that oneDNN packed in a build without it")
        }

        private func run(
            _ x: UnsafeRawPointer, _ size: Int, _ rows: Int, _ w: PackedWeight, _ precision: ProductPrecision,
            into y: Matrix
        ) {
            preconditionFailure("weights that oneDNN packed in a build without it")
        }
    #endif

    /// Cuts rows into pieces of known sizes and calls `body` with the first row and the rows of each: large ones as long as
    /// they fit, then one small one that covers the rest, reaching back over rows already done where it is larger.
    @inline(__always)
    static func forEachPiece(of rows: Int, _ body: (Int, Int) -> Void) {
        var done = 0
        for size in large {
            while rows - done >= size {
                body(done, size)
                done += size
            }
        }
        while done < rows {
            // Too few rows to reach back over: the largest size that fits, and then the rest.
            let size = small.first { $0 >= rows - done && $0 <= rows } ?? small.last { $0 <= rows - done } ?? 1
            let start = min(done, rows - size)
            body(start, size)
            done = start + size
        }
    }
}
