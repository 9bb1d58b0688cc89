import Tensors

#if OneDNN
    import CDNNL
#endif

/// oneDNN refused something that it was asked for.
public struct PackingError: Error, Sendable, CustomStringConvertible {
    /// Its own status, `dnnl_status_t`.
    public let status: Int32
    /// What it was asked to do.
    public let purpose: String

    /// A sentence for the user.
    public var description: String {
        "oneDNN cannot \(purpose) (its status \(status)); use parallel.gemm: openblas"
    }
}

/// In what a product with frozen weights computes.
public enum ProductPrecision: String, Sendable {
    /// Both operands in float32.
    case float32
    /// Both rounded to 8 bits, each row of the first and each column of the second with a factor of its own; sums are
    /// exact. The result is off by about a hundredth of its size.
    case int8
}

/// The second operand `[inner, columns]` of a product, in the layout that oneDNN's kernels like best.
struct PackedWeight: @unchecked Sendable {
    let inner: Int
    let columns: Int
    let precision: ProductPrecision
    /// Memory that somebody else owns, only read from the moment that it was filled: for int8 the factors of the columns
    /// first, then what oneDNN packed.
    let memory: UnsafeMutableRawPointer

    /// Bytes of the factors.
    static func factorBytes(columns: Int, _ precision: ProductPrecision) -> Int {
        precision == .int8 ? (columns * MemoryLayout<Float>.stride + 63) & ~63 : 0
    }

    var factors: UnsafeMutablePointer<Float> { memory.assumingMemoryBound(to: Float.self) }
    var packed: UnsafeMutableRawPointer { memory + Self.factorBytes(columns: columns, precision) }
}

/// oneDNN on this processor: layouts and packing. Shared by all threads; only made where the build has oneDNN.
public final class PackingLibrary: @unchecked Sendable {
    /// Whether this build has oneDNN.
    public static var isBuiltIn: Bool {
        #if OneDNN
            true
        #else
            false
        #endif
    }

    /// Whether this processor has AVX-512. Without it float32 products are slower than OpenBLAS's, and a row's bits depend
    /// on how many rows the product has.
    public static var isFast: Bool {
        #if OneDNN
            cdnnl_has_avx512() == 1
        #else
            false
        #endif
    }

    /// Whether this processor has instructions for 8 bits (VNNI). Without them 8-bit products are as exact, but slower than
    /// those in float32, and their packs twice as large.
    public static var hasVNNI: Bool {
        #if OneDNN
            cdnnl_has_vnni() == 1
        #else
            false
        #endif
    }

    /// Version and instruction set, e.g. `oneDNN 2.6.3 avx512_core`; nil without it.
    public static var name: String? {
        #if OneDNN
            let version = cdnnl_version()
            return "oneDNN \(version / 10000).\(version / 100 % 100).\(version % 100) "
                + String(cString: cdnnl_instruction_set())
        #else
            nil
        #endif
    }

    #if OneDNN
        fileprivate let engine: OpaquePointer

        /// Opens the library.
        public init() throws(PackingError) {
            var opened: OpaquePointer?
            try check(cdnnl_engine_create(&opened), "use this processor")
            guard let opened else { throw PackingError(status: 0, purpose: "use this processor") }
            engine = opened
        }

        deinit { cdnnl_engine_destroy(engine) }

        func packedBytes(
            inner: Int, columns: Int, _ precision: ProductPrecision
        ) throws(PackingError) -> Int {
            var bytes = 0
            try check(
                cdnnl_packed_size(engine, precision.type, Int64(inner), Int64(columns), &bytes),
                "lay out \(inner) x \(columns) weights")
            return PackedWeight.factorBytes(columns: columns, precision) + (bytes + 63) & ~63
        }

        /// Packs `w: [rows, columns]`, or its transpose, as the second operand of a product.
        func pack(_ w: Matrix, transposed: Bool, into pack: PackedWeight) throws(PackingError) {
            // Element (i, j) of the operand stands i * strides.0 + j * strides.1 behind the first.
            let strides = transposed ? (1, w.stride) : (w.stride, 1)
            switch pack.precision {
            case .float32: try self.pack(w.base, strides, into: pack)
            case .int8:
                let quantised = UnsafeMutablePointer<Int8>.allocate(capacity: w.rows * w.columns)
                defer { quantised.deallocate() }
                // Each column of the operand becomes a row here, which is what is quantised.
                let column = Arena(count: pack.inner)
                for j in 0..<pack.columns {
                    for i in 0..<pack.inner { column.base[i] = w.base[i * strides.0 + j * strides.1] }
                    pack.factors[j] = quantiseRow(column.base, into: quantised + j * pack.inner, pack.inner)
                }
                try self.pack(quantised, (1, pack.inner), into: pack)
            }
        }

        private func pack(
            _ operand: UnsafeRawPointer, _ strides: (Int, Int), into pack: PackedWeight
        ) throws(PackingError) {
            try check(
                cdnnl_pack(
                    engine, pack.precision.type, Int64(pack.inner), Int64(pack.columns), operand, Int64(strides.0),
                    Int64(strides.1), pack.packed), "pack \(pack.inner) x \(pack.columns) weights")
        }
    #else
        /// Not in this build.
        public init() throws(PackingError) {
            throw PackingError(status: -1, purpose: "be used: this program was built without it")
        }

        func packedBytes(
            inner: Int, columns: Int, _ precision: ProductPrecision
        ) throws(PackingError) -> Int { 0 }
        func pack(_ w: Matrix, transposed: Bool, into pack: PackedWeight) throws(PackingError) {}
    #endif
}

#if OneDNN
    extension ProductPrecision {
        fileprivate var type: Int32 { Int32(self == .int8 ? cdnnl_int8 : cdnnl_float32) }
    }

    private func check(_ status: Int32, _ purpose: @autoclosure () -> String) throws(PackingError) {
        guard status == 0 else { throw PackingError(status: status, purpose: purpose()) }
    }
#endif

/// One worker's products with packed weights: what oneDNN prepares for each number of rows, made once.
///
/// A product of any number of rows is put together from a few sizes, so that the preparations are few. The last piece may
/// overlap the one before; with AVX-512 and with 8 bits an element has the same bits whichever piece computes it, and else
/// at least the same number of rows gives the same bits.
public final class FrozenProducts {
    /// Sizes of pieces, in rows: what the rows are cut into, and what ends them.
    static let large = [256, 128, 64]
    static let small = Array(1...16) + [24, 32, 40, 48, 56, 64]

    /// Floats of bfloat16 weights that are expanded at once: as many as a core's second cache holds.
    static let expandedFloats = 1 << 17
    /// Bytes that a worker takes to expand weights of a T5.
    public static var expandedBytes: Int { expandedFloats * MemoryLayout<Float>.stride }
    private var expandedWeights: Arena?

    /// Memory for `count` floats, the same in every call, until a later one asks for more.
    func expanded(_ count: Int) -> UnsafeMutablePointer<Float> {
        if let expandedWeights, expandedWeights.count >= count { return expandedWeights.base }
        let memory = Arena(count: max(count, Self.expandedFloats))
        expandedWeights = memory
        return memory.base
    }

    #if OneDNN
        private struct Shape: Hashable {
            let rows: Int
            let inner: Int
            let columns: Int
            let precision: ProductPrecision
        }

        private let library: PackingLibrary?
        private var prepared: [Shape: OpaquePointer] = [:]
        /// Rows rounded to 8 bits, and the factor of each.
        private var quantised: [Int8] = []
        private var rowFactors: [Float] = []

        /// Products of weights that `library` packed; nil where nothing is packed.
        public init(_ library: PackingLibrary? = nil) { self.library = library }

        deinit {
            for product in prepared.values { cdnnl_product_destroy(product) }
        }

        /// `y = x w`: `x: [rows, inner]`, overwrites `y: [rows, columns]`; both without gaps between rows.
        func multiply(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
            precondition(x.stride == x.columns && y.stride == y.columns, "packed products need rows without gaps")
            switch w.precision {
            case .float32: run(x.base, MemoryLayout<Float>.stride, x.rows, w, into: y)
            case .int8: multiplyQuantised(x, w, into: y)
            }
        }

        /// Rounds the rows to 8 bits, multiplies, and gives the sums in `y` their factors.
        private func multiplyQuantised(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
            if quantised.count < x.count { quantised = [Int8](repeating: 0, count: x.count) }
            if rowFactors.count < x.rows { rowFactors = [Float](repeating: 0, count: x.rows) }
            quantised.withUnsafeMutableBufferPointer { rows in
                guard let base = rows.baseAddress else { return }
                for r in 0..<x.rows {
                    rowFactors[r] = quantiseRow(x.row(r), into: base + r * x.columns, x.columns)
                }
                run(base, MemoryLayout<Int8>.stride, x.rows, w, into: y)
            }
            for r in 0..<x.rows {
                dequantiseRow(y.row(r), rowFactor: rowFactors[r], columnFactors: w.factors, y.columns)
            }
        }

        /// The product itself, piece by piece; an element of `x` has `size` bytes.
        private func run(_ x: UnsafeRawPointer, _ size: Int, _ rows: Int, _ w: PackedWeight, into y: Matrix) {
            Self.forEachPiece(of: rows) { start, count in
                let product = preparation(
                    Shape(rows: count, inner: w.inner, columns: w.columns, precision: w.precision))
                let status = cdnnl_product_run(product, x + start * w.inner * size, w.packed, y.row(start))
                precondition(status == 0, "oneDNN failed in a product that it had prepared (status \(status))")
            }
        }

        private func preparation(_ shape: Shape) -> OpaquePointer {
            if let product = prepared[shape] { return product }
            guard let library else { preconditionFailure("packed weights without the library that packed them") }
            var product: OpaquePointer?
            let status = cdnnl_product_create(
                library.engine, shape.precision.type, Int64(shape.rows), Int64(shape.inner), Int64(shape.columns),
                &product)
            guard status == 0, let product else {
                preconditionFailure("oneDNN cannot prepare a product of packed weights (status \(status))")
            }
            prepared[shape] = product
            return product
        }
    #else
        /// Products of weights that are not packed.
        public init(_ library: PackingLibrary? = nil) {}

        func multiply(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
            preconditionFailure("packed weights in a build without oneDNN")
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
