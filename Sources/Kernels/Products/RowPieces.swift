/// How the rows of a product are cut, where a library prepares each number of rows: into a few sizes, so that the
/// preparations are few.
///
/// The last piece may overlap the one before. With AVX-512 and with 8 bits an element has the same bits whichever piece
/// computes it, and else at least the same number of rows gives the same bits.
enum RowPieces {
    /// Sizes of pieces, in rows: what the rows are cut into, and what ends them.
    static let large = [256, 128, 64]
    static let small = Array(1...16) + [24, 32, 40, 48, 56, 64]

    /// Cuts rows into pieces of known sizes and calls `body` with the first row and the rows of each: large ones as long as
    /// they fit, then one small one that covers the rest, reaching back over rows already done where it is larger.
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
            // Too few rows to reach back over: the largest size that fits, and then the rest.
            let size = small.first { $0 >= rows - done && $0 <= rows } ?? small.last { $0 <= rows - done } ?? 1
            let start = min(done, rows - size)
            body(start, size)
            done = start + size
        }
    }
}
