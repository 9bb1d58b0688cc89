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

/// The second operand `[inner, columns]` of a product, in the layout that oneDNN's kernels like best.
struct PackedWeight: @unchecked Sendable {
    let inner: Int
    let columns: Int
    /// Memory that somebody else owns, only read from the moment that it was filled.
    let bytes: UnsafeMutableRawPointer
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

        func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int {
            var bytes = 0
            try check(
                cdnnl_packed_size(engine, Int64(inner), Int64(columns), &bytes), "lay out \(inner) x \(columns) weights"
            )
            return (bytes + 63) & ~63
        }

        /// Packs `w: [rows, columns]`, or its transpose, as the second operand of a product.
        func pack(_ w: Matrix, transposed: Bool, into bytes: UnsafeMutableRawPointer) throws(PackingError) {
            let (inner, columns) = transposed ? (w.columns, w.rows) : (w.rows, w.columns)
            try check(
                cdnnl_pack(
                    engine, Int64(inner), Int64(columns), w.base, Int64(transposed ? 1 : w.stride),
                    Int64(transposed ? w.stride : 1), bytes),
                "pack \(inner) x \(columns) weights")
        }
    #else
        /// Not in this build.
        public init() throws(PackingError) {
            throw PackingError(status: -1, purpose: "be used: this program was built without it")
        }

        func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int { 0 }
        func pack(_ w: Matrix, transposed: Bool, into bytes: UnsafeMutableRawPointer) throws(PackingError) {}
    #endif
}

#if OneDNN
    private func check(_ status: Int32, _ purpose: @autoclosure () -> String) throws(PackingError) {
        guard status == 0 else { throw PackingError(status: status, purpose: purpose()) }
    }
#endif

/// One worker's products with packed weights: what oneDNN prepares for each number of rows, made once.
///
/// A product of any number of rows is put together from a few sizes, so that the preparations are few. The last piece may
/// overlap the one before; an element has the same bits whichever piece computes it.
public final class FrozenProducts {
    /// Sizes of pieces, in rows: what the rows are cut into, and what ends them.
    static let large = [256, 128, 64]
    static let small = Array(1...16) + [24, 32, 40, 48, 56, 64]

    #if OneDNN
        private struct Shape: Hashable {
            let rows: Int
            let inner: Int
            let columns: Int
        }

        private let library: PackingLibrary?
        private var prepared: [Shape: OpaquePointer] = [:]

        /// Products of weights that `library` packed; nil where nothing is packed.
        public init(_ library: PackingLibrary? = nil) { self.library = library }

        deinit {
            for product in prepared.values { cdnnl_product_destroy(product) }
        }

        /// `y = x w`: `x: [rows, inner]`, overwrites `y: [rows, columns]`; both without gaps between rows.
        func multiply(_ x: Matrix, _ w: PackedWeight, into y: Matrix) {
            precondition(x.stride == x.columns && y.stride == y.columns, "packed products need rows without gaps")
            Self.forEachPiece(of: x.rows) { start, count in
                let product = preparation(Shape(rows: count, inner: w.inner, columns: w.columns))
                let status = cdnnl_product_run(product, x.row(start), w.bytes, y.row(start))
                precondition(status == 0, "oneDNN failed in a product that it had prepared (status \(status))")
            }
        }

        private func preparation(_ shape: Shape) -> OpaquePointer {
            if let product = prepared[shape] { return product }
            guard let library else { preconditionFailure("packed weights without the library that packed them") }
            var product: OpaquePointer?
            let status = cdnnl_product_create(
                library.engine, Int64(shape.rows), Int64(shape.inner), Int64(shape.columns), &product)
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
