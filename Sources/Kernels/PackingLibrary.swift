import CIntegerProducts
import Tensors

#if OneDNN
    import CDNNL
#endif

/// What packs frozen weights on this processor; shared by all threads.
public final class PackingLibrary: @unchecked Sendable {
    /// Whether this build has oneDNN.
    public static var hasOneDNN: Bool {
        #if OneDNN
            true
        #else
            false
        #endif
    }

    /// Whether this build has oneDNN and the processor AVX-512. Without that its float32 products are slower than
    /// OpenBLAS's, and a row's bits depend on how many rows the product has.
    public static let isFast: Bool = {
        #if OneDNN
            cdnnl_has_avx512() == 1
        #else
            false
        #endif
    }()

    /// Whether this build has oneDNN and the processor instructions for 8 bits (VNNI). Without that `IntegerProducts`
    /// computes with 8 bits.
    public static let hasVNNI: Bool = {
        #if OneDNN
            cdnnl_has_vnni() == 1
        #else
            false
        #endif
    }()

    #if OneDNN
        /// What one of oneDNN's sets of instructions holds, by its bits alone.
        static func instructions(_ isa: Int32) -> (name: String?, hasAVX512: Bool, hasVNNI: Bool) {
            (
                cdnnl_isa_name(isa).map { String(cString: $0) }, cdnnl_isa_has_avx512(isa) == 1,
                cdnnl_isa_has_vnni(isa) == 1
            )
        }

        /// What oneDNN uses here, and what the processor has.
        static var effectiveInstructions: Int32 { cdnnl_effective_isa() }
        static var processorHasAVX512: Bool { cdnnl_processor_has_avx512() == 1 }
        static var processorHasVNNI: Bool { cdnnl_processor_has_vnni() == 1 }
    #endif

    /// Whether `IntegerProducts` has vectors here; without AVX2 it is several times slower than float32.
    public static var hasIntegerVectors: Bool { cintegerproducts_has_avx2() == 1 }

    /// Version and instruction set, e.g. `oneDNN 2.6.3 avx512_core`, or the set's bits where it has no name here; nil without
    /// oneDNN.
    public static var name: String? {
        #if OneDNN
            let version = cdnnl_version()
            let isa = effectiveInstructions
            return "oneDNN \(version / 10000).\(version / 100 % 100).\(version % 100) "
                + (instructions(isa).name ?? "instructions 0x\(String(isa, radix: 16))")
        #else
            nil
        #endif
    }

    /// oneDNN's engine; nil where only 8 bits are packed, for `IntegerProducts`.
    let engine: OpaquePointer?

    /// Packs for `IntegerProducts`, and nothing else: the other products run on the weights where they are.
    public static let integers = PackingLibrary(engine: nil)

    private init(engine: OpaquePointer?) { self.engine = engine }

    /// Whether it packs for float32 products.
    public var packsFloat32: Bool { engine != nil }

    /// Whose kernels compute with what it packs.
    func layout(_ precision: ProductPrecision) -> PackedWeight.Layout {
        precondition(packsFloat32 || precision == .int8, "without oneDNN only 8 bits are packed")
        return precision == .int8 && (engine == nil || !Self.hasVNNI) ? .panels : .oneDNN(precision)
    }

    #if OneDNN
        /// Opens oneDNN.
        public convenience init() throws(PackingError) {
            var opened: OpaquePointer?
            try check(cdnnl_engine_create(&opened), "use this processor")
            self.init(engine: opened)
        }

        deinit { cdnnl_engine_destroy(engine) }
    #else
        /// Not in this build.
        public convenience init() throws(PackingError) {
            throw PackingError(oneDNN: -1, "be used: this program was built without it")
        }
    #endif

    /// Bytes of a packed operand, a multiple of 64.
    func packedBytes(
        inner: Int, columns: Int, _ precision: ProductPrecision
    ) throws(PackingError) -> Int {
        guard precision == .float32 || inner <= IntegerProducts.longestSum else {
            throw PackingError(
                "sums of \(inner) products of 8 bits may not fit in 32; use model.products: float32")
        }
        switch layout(precision) {
        case .panels:
            return PackedWeight.factorBytes(columns: columns)
                + (IntegerProducts.panelBytes(inner: inner, columns: columns) + 63) & ~63
        case .oneDNN(let precision):
            let factors = precision == .int8 ? PackedWeight.factorBytes(columns: columns) : 0
            return factors + (try oneDNNBytes(inner: inner, columns: columns, precision) + 63) & ~63
        }
    }

    /// Packs `w: [rows, columns]`, or its transpose, as the second operand of a product.
    func pack(_ w: Matrix, transposed: Bool, into pack: PackedWeight) throws(PackingError) {
        // Element (i, j) of the operand stands i * strides.0 + j * strides.1 behind the first.
        let strides = transposed ? (1, w.stride) : (w.stride, 1)
        if case .oneDNN(.float32) = pack.layout { return try packOneDNN(w.base, strides, .float32, into: pack) }
        // Each column of the operand becomes a row here, which is what is quantised.
        let memory = Memory.allocate(byteCount: w.rows * w.columns, for: .frozenWeights)
        defer { Memory.free(memory) }
        let quantised = memory.bindMemory(to: Int8.self, capacity: w.rows * w.columns)
        let column = Arena(count: pack.inner)
        for j in 0..<pack.columns {
            for i in 0..<pack.inner { column.base[i] = w.base[i * strides.0 + j * strides.1] }
            pack.factors[j] = quantiseRow(column.base, into: quantised + j * pack.inner, pack.inner)
        }
        if case .panels = pack.layout { return IntegerProducts.pack(columns: quantised, into: pack) }
        try packOneDNN(quantised, (1, pack.inner), .int8, into: pack)
    }

    #if OneDNN
        private func oneDNNBytes(
            inner: Int, columns: Int, _ precision: ProductPrecision
        ) throws(PackingError) -> Int {
            var bytes = 0
            try check(
                cdnnl_packed_size(engine, precision.type, Int64(inner), Int64(columns), &bytes),
                "lay out \(inner) x \(columns) weights")
            return bytes
        }

        private func packOneDNN(
            _ operand: UnsafeRawPointer, _ strides: (Int, Int), _ precision: ProductPrecision, into pack: PackedWeight
        ) throws(PackingError) {
            try check(
                cdnnl_pack(
                    engine, precision.type, Int64(pack.inner), Int64(pack.columns), operand, Int64(strides.0),
                    Int64(strides.1), pack.packed), "pack \(pack.inner) x \(pack.columns) weights")
        }
    #else
        private func oneDNNBytes(
            inner: Int, columns: Int, _ precision: ProductPrecision
        ) throws(PackingError) -> Int {
            throw PackingError(oneDNN: -1, "pack: this program was built without it")
        }

        private func packOneDNN(
            _ operand: UnsafeRawPointer, _ strides: (Int, Int), _ precision: ProductPrecision, into pack: PackedWeight
        ) throws(PackingError) {
            throw PackingError(oneDNN: -1, "pack: this program was built without it")
        }
    #endif
}

#if OneDNN
    extension ProductPrecision {
        var type: Int32 { Int32(self == .int8 ? cdnnl_int8 : cdnnl_float32) }
    }

    private func check(_ status: Int32, _ purpose: @autoclosure () -> String) throws(PackingError) {
        guard status == 0 else { throw PackingError(oneDNN: status, purpose()) }
    }
#endif
