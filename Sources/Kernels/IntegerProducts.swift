import CIntegerProducts

/// Products of rows and frozen weights that were rounded to 8 bits: exact 32-bit sums on every processor. Where it has VNNI,
/// oneDNN is faster and gives the same bits.
///
/// The rows are multiplied as 16-bit numbers, which AVX2 does without cutting anything off, while the weights wait in 8 bits.
enum IntegerProducts {
    private static let panelColumns = Int(cintegerproducts_columns)

    /// The longest sum that always fits in 32 bits.
    static let longestSum = 2 * Int(cintegerproducts_most_pairs)

    /// Bytes of all panels of an operand `[inner, columns]`.
    static func panelBytes(inner: Int, columns: Int) -> Int {
        (columns + panelColumns - 1) / panelColumns * panelColumns * ((inner + 1) & ~1)
    }

    /// Overwrites the panels of `pack` with `columns: [columns, inner]`, the operand column by column.
    static func pack(columns: UnsafePointer<Int8>, into pack: PackedWeight) {
        let bytes = panelBytes(inner: pack.inner, columns: pack.columns)
        pack.packed.initializeMemory(as: Int8.self, repeating: 0, count: bytes)
        let panels = pack.packed.assumingMemoryBound(to: Int8.self)
        let pairs = (pack.inner + 1) / 2
        for j in 0..<pack.columns {
            let column = columns + j * pack.inner
            let panel = panels + (j / panelColumns * panelColumns * pairs + j % panelColumns) * 2
            for i in 0..<pack.inner { panel[i / 2 * panelColumns * 2 + i % 2] = column[i] }
        }
    }

    /// Numbers of a row, filled up to whole pairs with zeros.
    static func rowWidth(_ w: PackedWeight) -> Int { (w.inner + 1) & ~1 }

    /// `y = rowFactors * (x w) * factors of w`: overwrites `y: [rows, columns]`; `x: [rows, rowWidth]` without gaps.
    static func multiply(
        _ x: UnsafePointer<Int16>, rows: Int, rowFactors: UnsafePointer<Float>, _ w: PackedWeight,
        into y: UnsafeMutablePointer<Float>, stride: Int
    ) {
        var operand = cintegerproducts_operand(
            panels: UnsafePointer(w.packed.assumingMemoryBound(to: Int8.self)), pairs: Int64(rowWidth(w) / 2),
            columns: Int64(w.columns), factors: UnsafePointer(w.factors))
        cintegerproducts_run(x, Int64(rows), rowFactors, &operand, y, Int64(stride))
    }
}
