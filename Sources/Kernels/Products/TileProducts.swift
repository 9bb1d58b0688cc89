import CTileProducts
import Tensors

/// Products in the layout of matrix tiles (AMX): on the tiles of a processor that has them, otherwise by a twin in C with the
/// same packs, rounding and order of sums.
public enum TileProducts {
    /// Whether products run on the processor's own tiles. The system permits that to a process that asks; this asks once.
    public static let isNative = ctileproducts_can(ctileproducts_amx) == 1

    /// Whether the processor has tiles, even if the system does not permit their use.
    public static let isInProcessor = ctileproducts_processor_has_amx() == 1

    /// What computes, e.g. `tiles (AMX)`. The bits of the two differ, except with 8 bits.
    public static var name: String { isNative ? "tiles (AMX)" : "tiles (portable twin)" }

    /// The fastest way on this processor.
    static let way = isNative ? ctileproducts_amx : twin

    /// The fastest way of the twin; all have the same bits.
    static let twin =
        [ctileproducts_avx512, ctileproducts_avx2].first { ctileproducts_can($0) == 1 } ?? ctileproducts_plain

    /// The kernels of all kinds of products.
    static func kernels(_ way: ctileproducts_way = TileProducts.way) -> [any PackedKernels] {
        [ProductKind.bf16x3, .bfloat16, .int8].map { TileKernels($0, way) }
    }
}

private final class TileKernels: PackedKernels {
    let kind: ProductKind
    let mode: ctileproducts_mode
    let way: ctileproducts_way
    let hasIndependentRows = true

    init(_ kind: ProductKind, _ way: ctileproducts_way) {
        self.kind = kind
        self.way = way
        mode =
            switch kind {
            case .bf16x3: ctileproducts_bf16x3
            case .bfloat16: ctileproducts_bf16
            case .int8: ctileproducts_int8
            case .float32: preconditionFailure("tiles compute no products in float32")
            }
    }

    func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int {
        let bytes = Int(ctileproducts_packed_bytes(mode, Int64(inner), Int64(columns)))
        guard kind == .int8 else { return bytes }
        try PackedWeight.checkSums(of: inner)
        return PackedWeight.factorBytes(columns: columns) + bytes
    }

    func pack(_ operand: Operand, into weight: PackedWeight) throws(PackingError) {
        let (inner, columns) = (Int64(weight.inner), Int64(weight.columns))
        guard kind == .int8 else {
            let strides = operand.strides
            unsafe ctileproducts_pack(
                mode, operand.matrix.base, Int64(strides.row), Int64(strides.column), inner, columns, weight.memory)
            return
        }
        unsafe weight.quantise(operand) { unsafe ctileproducts_pack_int8($0, inner, columns, weight.numbers) }
    }

    func makeWorker() -> any PackedWorker { TileWorker(self) }
}

/// Memory for one thread's rows, which is reused.
private final class TileWorker: PackedWorker {
    private let kernels: TileKernels
    private var scratch: Arena?

    init(_ kernels: TileKernels) { self.kernels = kernels }

    func multiply(_ x: Matrix, _ w: PackedWeight, into y: MutableMatrix) {
        let (way, mode, rows) = (kernels.way, kernels.mode, Int64(x.rows))
        let bytes = Int(ctileproducts_scratch_bytes(way, mode, rows, Int64(w.inner)))
        let memory = room(floats: bytes / MemoryLayout<Float>.stride)
        let hasFactors = mode == ctileproducts_int8
        var operand = unsafe ctileproducts_operand(
            mode: mode, inner: Int64(w.inner), columns: Int64(w.columns),
            panels: UnsafeRawPointer(hasFactors ? w.numbers : w.memory),
            factors: hasFactors ? UnsafePointer(w.factors) : nil)
        unsafe ctileproducts_run(way, x.base, Int64(x.stride), rows, &operand, memory.base, y.base, Int64(y.stride))
    }

    /// Memory that is too small is freed before the larger block is allocated.
    private func room(floats: Int) -> Arena {
        if let scratch, scratch.count >= floats { return scratch }
        scratch = nil
        let larger = Arena(count: floats, for: .activations)
        scratch = larger
        return larger
    }
}

extension TileProducts {
    /// The most bytes that a thread needs for rows of this many numbers.
    public static func scratchBytes(_ kind: ProductKind, rows: Int, inner: Int) -> Int {
        let mode = TileKernels(kind, way).mode
        return Int(ctileproducts_scratch_bytes(way, mode, Int64(rows), Int64(inner)))
    }
}
