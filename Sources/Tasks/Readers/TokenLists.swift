/// Lists of token ids end to end, with their lengths.
struct TokenLists: Sendable {
    private(set) var lengths: [UInt32] = []
    private(set) var ids: [Int32] = []
    private(set) var longest = 0

    /// Appends what `body` appends as one list. The list is cut to `limit` ids; its last id is always `end`.
    ///
    /// Returns whether it was cut.
    mutating func append<Problem: Error>(
        limit: Int, end: Int32, _ body: (inout [Int32]) throws(Problem) -> Void
    ) throws(Problem) -> Bool {
        let start = ids.count
        try body(&ids)
        ids.append(end)
        let isCut = ids.count - start > limit
        if isCut {
            ids.removeLast(ids.count - start - limit)
            ids[ids.count - 1] = end
        }
        lengths.append(UInt32(ids.count - start))
        longest = max(longest, ids.count - start)
        return isCut
    }

    /// Appends the lists of another value.
    mutating func append(contentsOf other: TokenLists) {
        lengths += other.lengths
        ids += other.ids
        longest = max(longest, other.longest)
    }

    /// The start of each list, and the end of the last one.
    var offsets: [UInt64] {
        var sum: UInt64 = 0
        return [0]
            + lengths.map { length in
                sum += UInt64(length)
                return sum
            }
    }
}
