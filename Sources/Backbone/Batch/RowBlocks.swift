/// Consecutive rows in blocks of at most `size`, in order: so many as stay in a core's cache while something passes over them more than
/// once. The iteration allocates nothing.
public struct RowBlocks: Sequence, IteratorProtocol {
    private let size: Int
    private var left: Range<Int>

    /// The blocks of `rows`.
    public init(rows: Range<Int>, size: Int) {
        precondition(size > 0 || rows.isEmpty, "blocks without rows")
        left = rows
        self.size = size
    }

    /// The next block; nil after the last.
    public mutating func next() -> Range<Int>? {
        guard !left.isEmpty else { return nil }
        let block = left.prefix(size)
        left = left.dropFirst(size)
        return block
    }

    /// Rows of `width` numbers for nearly half of a second-level cache of 1 MiB, in multiples of 32; at least 32, since what they are
    /// multiplied by is read once for each block.
    public static func rows(ofWidth width: Int) -> Int { Swift.max(32, 98_304 / Swift.max(width, 1) / 32 * 32) }

    /// The numbers of the largest block among inputs of these widths with `rows` rows.
    public static func largest(_ widths: some Sequence<Int>, rows: Int) -> Int {
        widths.reduce(0) { Swift.max($0, Swift.min(Self.rows(ofWidth: $1), rows) * $1) }
    }
}
