import Tensors

#if OneDNN
    import CDNNL

    /// oneDNN, which multiplies by weights that it packed itself: in float32, in 8 bits when the processor has VNNI, and in
    /// bfloat16 when it has AVX512_BF16.
    public enum OneDNN {
        /// Whether this build includes oneDNN.
        public static let isInBuild = true

        /// Whether oneDNN can use AVX-512 here. Without it oneDNN's float32 products are slower than OpenBLAS's, and a row's
        /// bits depend on how many rows the product has.
        public static let isFast = cdnnl_has_avx512() == 1

        /// Whether oneDNN can use 8-bit instructions (VNNI) here. Without them `IntegerPanels` computes with 8 bits.
        public static let hasVNNI = cdnnl_has_vnni() == 1

        /// Whether oneDNN can use instructions for products of bfloat16 (AVX512_BF16) here. Without them it computes none.
        public static let hasBFloat16 = cdnnl_has_bfloat16() == 1

        /// Version and instruction set, e.g. `oneDNN 2.6.3 avx512_core`; the set's bits when it has no name here. Nil when
        /// oneDNN is not in this build.
        public static var name: String? {
            let version = cdnnl_version()
            let isa = effectiveInstructions
            return "oneDNN \(version / 10000).\(version / 100 % 100).\(version % 100) "
                + (instructions(isa).name ?? "instructions 0x\(String(isa, radix: 16))")
        }

        /// What one of oneDNN's instruction sets contains, decoded from its bits.
        static func instructions(_ isa: Int32) -> (name: String?, hasAVX512: Bool, hasVNNI: Bool) {
            unsafe (
                cdnnl_isa_name(isa).map { unsafe String(cString: $0) }, cdnnl_isa_has_avx512(isa) == 1,
                cdnnl_isa_has_vnni(isa) == 1
            )
        }

        /// The instruction set that oneDNN uses here, given what the processor has.
        static var effectiveInstructions: Int32 { cdnnl_effective_isa() }
        static var processorHasAVX512: Bool { cdnnl_processor_has_avx512() == 1 }
        static var processorHasVNNI: Bool { cdnnl_processor_has_vnni() == 1 }

        /// Starts oneDNN and returns the kernels that it has on this processor.
        static func kernels() throws(PackingError) -> [any PackedKernels] {
            let engine = try OneDNNEngine()
            let kinds: [ProductKind] = [.float32] + (hasVNNI ? [.int8] : []) + (hasBFloat16 ? [.bfloat16] : [])
            return kinds.map { OneDNNKernels(engine, $0) }
        }
    }

    /// The processor as oneDNN sees it. Safe, since it owns what `handle` names.
    @safe private final class OneDNNEngine: @unchecked Sendable {
        let handle: OpaquePointer

        init() throws(PackingError) {
            var opened: OpaquePointer?
            let status = unsafe cdnnl_engine_create(&opened)
            guard status == 0, let opened = unsafe opened else {
                throw PackingError(oneDNN: status, "use this processor")
            }
            unsafe handle = opened
        }

        deinit { unsafe cdnnl_engine_destroy(handle) }
    }

    private final class OneDNNKernels: PackedKernels {
        let engine: OneDNNEngine
        let kind: ProductKind

        init(_ engine: OneDNNEngine, _ kind: ProductKind) {
            self.engine = engine
            self.kind = kind
        }

        /// With 8 bits the sums are exact.
        var hasIndependentRows: Bool { kind == .int8 || OneDNN.isFast }

        /// The shim's number for the kind.
        var type: Int32 {
            switch kind {
            case .float32: Int32(cdnnl_float32)
            case .int8: Int32(cdnnl_int8)
            case .bfloat16: Int32(cdnnl_bfloat16)
            case .bf16x3: preconditionFailure("oneDNN has no products in bf16x3")
            }
        }

        func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int {
            if kind == .int8 { try PackedWeight.checkSums(of: inner) }
            var bytes = 0
            let status = unsafe cdnnl_packed_size(engine.handle, type, Int64(inner), Int64(columns), &bytes)
            guard status == 0 else { throw PackingError(oneDNN: status, "lay out \(inner) x \(columns) weights") }
            let factors = kind == .int8 ? PackedWeight.factorBytes(columns: columns) : 0
            return factors + (bytes + 63) & ~63
        }

        func pack(_ operand: Operand, into weight: PackedWeight) throws(PackingError) {
            switch kind {
            case .float32, .bfloat16, .bf16x3:
                try unsafe pack(operand.matrix.base, operand.strides, weight, at: weight.memory)
            case .int8:
                // Each column of the operand is a row of `numbers` here.
                try unsafe weight.quantise(operand) { columns throws(PackingError) in
                    try unsafe pack(columns, (1, weight.inner), weight, at: weight.numbers)
                }
            }
        }

        private func pack(
            _ operand: UnsafeRawPointer, _ strides: (row: Int, column: Int), _ weight: PackedWeight,
            at place: UnsafeMutableRawPointer
        ) throws(PackingError) {
            Memory.requireRoom(for: .frozenWeights)
            let status = unsafe cdnnl_pack(
                engine.handle, type, Int64(weight.inner), Int64(weight.columns), operand, Int64(strides.row),
                Int64(strides.column), place)
            guard status == 0 else {
                throw PackingError(oneDNN: status, "pack \(weight.inner) x \(weight.columns) weights")
            }
        }

        func makeWorker() -> any PackedWorker { OneDNNWorker(self) }
    }

    /// What oneDNN prepares for each number of rows; prepared once. Safe, since it owns that.
    @safe private final class OneDNNWorker: PackedWorker {
        private struct Shape: Hashable {
            let rows: Int
            let inner: Int
            let columns: Int
        }

        private let kernels: OneDNNKernels
        private let rows = QuantisedRows()
        private let halves = HalfRows()
        private var prepared: [Shape: OpaquePointer] = unsafe [:]

        init(_ kernels: OneDNNKernels) { self.kernels = kernels }

        deinit {
            unsafe prepared.values.forEach { unsafe cdnnl_product_destroy($0) }
        }

        func multiply(_ x: Matrix, _ w: PackedWeight, into y: MutableMatrix) {
            switch kernels.kind {
            case .bfloat16:
                unsafe run(halves.round(x), MemoryLayout<UInt16>.stride, x.rows, w, w.memory, into: y)
            case .float32, .bf16x3: unsafe run(x.base, MemoryLayout<Float>.stride, x.rows, w, w.memory, into: y)
            case .int8:
                // `y` holds the sums until they are multiplied by their factors.
                let numbers = unsafe rows.quantise(x, width: x.columns, as: Int8.self)
                unsafe run(numbers, MemoryLayout<Int8>.stride, x.rows, w, w.numbers, into: y)
                for r in 0..<x.rows {
                    unsafe dequantiseRow(y.row(r), rowFactor: rows.factors[r], columnFactors: w.factors, y.columns)
                }
            }
        }

        /// The product itself, piece by piece; an element of `x` has `size` bytes.
        private func run(
            _ x: UnsafeRawPointer, _ size: Int, _ rows: Int, _ w: PackedWeight, _ packed: UnsafeRawPointer,
            into y: MutableMatrix
        ) {
            RowPieces.forEach(of: rows) { start, count in
                let product = unsafe preparation(Shape(rows: count, inner: w.inner, columns: w.columns))
                let status = unsafe cdnnl_product_run(product, x + start * w.inner * size, packed, y.row(start))
                precondition(status == 0, "oneDNN failed in a product that it had prepared (status \(status))")
            }
        }

        private func preparation(_ shape: Shape) -> OpaquePointer {
            if let product = unsafe prepared[shape] { return unsafe product }
            // oneDNN writes its machine code without checking that it got memory for it.
            Memory.requireRoom(for: .activations)
            var product: OpaquePointer?
            let status = unsafe cdnnl_product_create(
                kernels.engine.handle, kernels.type, Int64(shape.rows), Int64(shape.inner), Int64(shape.columns),
                &product)
            // dnnl_out_of_memory
            if status == 1 {
                Memory.end(Memory.shortage(shape.rows * (shape.inner + shape.columns) * 4, .activations))
            }
            guard status == 0, let product = unsafe product else {
                preconditionFailure("oneDNN cannot prepare a product of packed weights (status \(status))")
            }
            unsafe prepared[shape] = product
            return unsafe product
        }
    }

    extension PackingError {
        /// oneDNN refused with `status`, a `dnnl_status_t`.
        fileprivate init(oneDNN status: Int32, _ purpose: String) {
            self.init("oneDNN cannot \(purpose) (its status \(status)); use parallel.gemm: openblas")
        }
    }
#else
    /// oneDNN, which is not in this build.
    public enum OneDNN {
        /// Whether this build includes oneDNN.
        public static let isInBuild = false
        /// Whether oneDNN can use AVX-512 here.
        public static let isFast = false
        /// Whether oneDNN can use 8-bit instructions here.
        public static let hasVNNI = false
        /// Whether oneDNN can use instructions for products of bfloat16 here.
        public static let hasBFloat16 = false
        /// Version and instruction set: none.
        public static var name: String? { nil }

        static func kernels() throws(PackingError) -> [any PackedKernels] {
            throw PackingError("oneDNN cannot be used: this program was built without it; use parallel.gemm: openblas")
        }
    }
#endif
