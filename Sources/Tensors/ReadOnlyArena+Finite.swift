extension ReadOnlyArena {
    /// The first tensor of the layout that holds an infinity or NaN, and the index of its first such element within the tensor.
    public func firstNonFinite(_ layout: ParameterLayout) -> (entry: ParameterLayout.Entry, index: Int)? {
        precondition(layout.count == count, "layout of another arena")
        for entry in layout.entries where unsafe !allFinite(base + entry.offset, entry.count) {
            if let place = entry.range.first(where: { unsafe !base[$0].isFinite }) {
                return (entry, place - entry.offset)
            }
        }
        return nil
    }
}

/// Whether none of `count` elements is an infinity or NaN. The loop has no branch per element, so the compiler vectorises it.
public func allFinite(_ x: UnsafePointer<Float>, _ count: Int) -> Bool {
    var largest: UInt32 = 0
    for i in 0..<count { largest = unsafe max(largest, x[i].bitPattern & 0x7FFF_FFFF) }
    return largest < 0x7F80_0000
}
