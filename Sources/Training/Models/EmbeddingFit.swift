/// Whether a vocabulary can belong to an embedding, judged by the number of its ids and of the embedding's rows.
package enum EmbeddingFit: Equatable {
    /// As many rows as ids, up to padding.
    case fits
    /// More additional rows than padding explains: somebody has enlarged the embedding, or the vocabulary is another model's.
    /// The value is the number of these rows.
    case hasSpare(Int)
    /// At least half as many rows again as ids.
    case belongsToAnother

    /// T5 has 32,000 ids in 32,128 rows, mT5 250,100 in 250,112: rows are usually padded to multiples of at most 128, and
    /// sometimes of up to 1,024.
    private static let padding = 1024

    package init(ids: Int, rows: Int) {
        if rows - ids <= Self.padding {
            self = .fits
        } else if rows < ids + ids / 2 {
            self = .hasSpare(rows - ids)
        } else {
            self = .belongsToAnother
        }
    }

    /// Number of rows of a new embedding for `pieces` pieces: room for T5's sentinels, rounded up to a multiple of 128.
    package static func rows(pieces: Int) -> Int { (pieces + 100 + 127) / 128 * 128 }
}
