/// Whether a vocabulary can be that of an embedding, by the number of its ids and of the embedding's rows.
package enum EmbeddingFit: Equatable {
    /// As many rows as ids, and what padding adds.
    case fits
    /// So many rows more that padding does not explain them: an embedding that somebody has enlarged, or another model's
    /// vocabulary.
    case hasSpare(Int)
    /// Half as many rows again as ids, or more.
    case isOfAnother

    /// T5 has 32,000 ids in 32,128 rows, mT5 250,100 in 250,112: rows are padded to multiples of 128 at most, and of 1,024
    /// where somebody was generous.
    private static let padding = 1024

    package init(ids: Int, rows: Int) {
        if rows - ids <= Self.padding {
            self = .fits
        } else if rows < ids + ids / 2 {
            self = .hasSpare(rows - ids)
        } else {
            self = .isOfAnother
        }
    }

    /// The rows of a new embedding for so many pieces: room for T5's sentinels, in a multiple of 128.
    package static func rows(pieces: Int) -> Int { (pieces + 100 + 127) / 128 * 128 }
}
