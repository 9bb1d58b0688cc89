/// Cuts the rows of a product into pieces of a few sizes, because a library prepares each number of rows separately and there
/// should be few preparations.
///
/// The last piece may overlap the one before. With AVX-512, and with 8 bits, an element has the same bits whichever piece
/// computes it; otherwise at least the same number of rows gives the same bits.
enum RowPieces {
    /// Sizes of pieces in rows: `large` for most of the rows, `small` for the end.
    static let large = [256, 128, 64]
    static let small = Array(1...16) + [24, 32, 40, 48, 56, 64]

    /// Cuts rows into pieces of known sizes and calls `body` with the first row and the number of rows of each: large pieces as
    /// long as they fit, then one small piece for the rest. A small piece that is larger than the rest starts in rows already
    /// done.
    @inline(__always)
    static func forEach(of rows: Int, _ body: (Int, Int) -> Void) {
        var done = 0
        for size in large {
            while rows - done >= size {
                body(done, size)
                done += size
            }
        }
        while done < rows {
            // There are too few rows for an overlap: use the largest size that fits, and then the rest.
            let size = small.first { $0 >= rows - done && $0 <= rows } ?? small.last { $0 <= rows - done } ?? 1
            let start = min(done, rows - size)
            body(start, size)
            done = start + size
        }
    }
}
