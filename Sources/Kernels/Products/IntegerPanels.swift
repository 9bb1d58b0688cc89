import CIntegerProducts
import Tensors

/// Products of rows and frozen weights that were rounded to 8 bits: exact 32-bit sums on every processor. On a processor with
/// VNNI, oneDNN is faster and gives the same bits.
///
/// The rows are multiplied as 16-bit numbers, which AVX2 does without saturation; the weights are stored in 8 bits.
public final class IntegerPanels: PackedKernels {
    /// Whether this processor has the vector instructions for it; without AVX2 it is several times slower than float32.
    public static var hasVectors: Bool { cintegerproducts_has_avx2() == 1 }

    private static let panelColumns = Int(cintegerproducts_columns)

    let kind = ProductKind.int8
    let hasIndependentRows = true

    func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int {
        try PackedWeight.checkSums(of: inner)
        return PackedWeight.factorBytes(columns: columns) + (Self.panelBytes(inner: inner, columns: columns) + 63) & ~63
    }

    func pack(_ operand: Operand, into weight: PackedWeight) throws(PackingError) {
        unsafe weight.quantise(operand) { unsafe Self.pack(columns: $0, into: weight) }
    }

    func makeWorker() -> any PackedWorker { Worker() }

    private final class Worker: PackedWorker {
        private let rows = QuantisedRows()

        /// Rounds the rows to 8 bits, multiplies, and multiplies the sums by their factors when it stores them.
        func multiply(_ x: Matrix, _ w: PackedWeight, into y: MutableMatrix) {
            let numbers = unsafe rows.quantise(x, width: IntegerPanels.rowWidth(w), as: Int16.self)
            unsafe IntegerPanels.multiply(
                numbers, rows: x.rows, rowFactors: rows.factors, w, into: y.base, stride: y.stride)
        }
    }

    /// Bytes of all panels of an operand `[inner, columns]`.
    static func panelBytes(inner: Int, columns: Int) -> Int {
        (columns + panelColumns - 1) / panelColumns * panelColumns * ((inner + 1) & ~1)
    }

    /// Overwrites the panels of `weight` with `columns: [columns, inner]`, the operand column by column.
    static func pack(columns: UnsafePointer<Int8>, into weight: PackedWeight) {
        let bytes = panelBytes(inner: weight.inner, columns: weight.columns)
        unsafe weight.numbers.initializeMemory(as: Int8.self, repeating: 0, count: bytes)
        let panels = unsafe weight.numbers.assumingMemoryBound(to: Int8.self)
        let pairs = (weight.inner + 1) / 2
        for j in 0..<weight.columns {
            let column = unsafe columns + j * weight.inner
            let panel = unsafe panels + (j / panelColumns * panelColumns * pairs + j % panelColumns) * 2
            for i in 0..<weight.inner { unsafe panel[i / 2 * panelColumns * 2 + i % 2] = column[i] }
        }
    }

    /// Numbers per row, filled up with zeros to whole pairs.
    static func rowWidth(_ w: PackedWeight) -> Int { (w.inner + 1) & ~1 }

    /// `y = rowFactors * (x w) * factors of w`: overwrites `y: [rows, columns]`; `x: [rows, rowWidth]` without gaps.
    static func multiply(
        _ x: UnsafePointer<Int16>, rows: Int, rowFactors: UnsafePointer<Float>, _ w: PackedWeight,
        into y: UnsafeMutablePointer<Float>, stride: Int
    ) {
        var operand = unsafe cintegerproducts_operand(
            panels: UnsafePointer(w.numbers.assumingMemoryBound(to: Int8.self)), pairs: Int64(rowWidth(w) / 2),
            columns: Int64(w.columns), factors: UnsafePointer(w.factors))
        unsafe cintegerproducts_run(x, Int64(rows), rowFactors, &operand, y, Int64(stride))
    }
}
