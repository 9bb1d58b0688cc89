extension Arena {
    /// The first tensor of the layout that holds an infinity or NaN, and the place of its first one, counted inside it.
    public func firstNonFinite(_ layout: ParameterLayout) -> (entry: ParameterLayout.Entry, index: Int)? {
        precondition(layout.count == count, "layout of another arena")
        for entry in layout.entries where !allFinite(entry.range) {
            if let place = entry.range.first(where: { !base[$0].isFinite }) {
                return (entry, place - entry.offset)
            }
        }
        return nil
    }

    /// Whether no element of the range is an infinity or NaN; without a branch per element, so it is vectorised.
    private func allFinite(_ range: Range<Int>) -> Bool {
        var largest: UInt32 = 0
        for index in range { largest = max(largest, base[index].bitPattern & 0x7FFF_FFFF) }
        return largest < 0x7F80_0000
    }
}
