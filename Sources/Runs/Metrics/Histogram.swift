/// How numbers are distributed: what TensorBoard needs to draw them, its message `HistogramProto`.
package struct Histogram: Equatable, Sendable {
    /// The most buckets; TensorBoard draws 30.
    static let buckets = 64

    /// The smallest number.
    package let least: Double
    /// The largest number.
    package let most: Double
    /// The sum of the numbers.
    package let sum: Double
    /// The sum of their squares.
    package let squares: Double
    /// The upper limits of the buckets, ascending, of equal width from `least`; the last one is `most`.
    package let limits: [Double]
    /// How many numbers are in each bucket.
    package let counts: [Double]

    /// How many numbers there are.
    package var count: Double { counts.reduce(0, +) }

    /// Counts the numbers of several lists together, `stride` apart from the first one of the first list on, as if the lists were
    /// one. Numbers that are not finite do not count; nil if no number does.
    package init?(_ lists: [UnsafeBufferPointer<Float>], stride: Int = 1) {
        var (least, most, sum, squares) = (Float.infinity, -Float.infinity, 0.0, 0.0)
        unsafe Self.each(lists, stride) { value in
            least = min(least, value)
            most = max(most, value)
            sum += Double(value)
            squares += Double(value) * Double(value)
        }
        guard least <= most else { return nil }
        (self.least, self.most, self.sum, self.squares) = (Double(least), Double(most), sum, squares)
        let first = Double(least)
        let width = Double(most) - first
        let buckets = width > 0 ? Self.buckets : 1
        limits = (1..<buckets).map { first + width * Double($0) / Double(buckets) } + [Double(most)]
        var counts = [Double](repeating: 0, count: buckets)
        let perWidth = width > 0 ? Double(buckets) / width : 0
        unsafe Self.each(lists, stride) { value in
            counts[min(Int((Double(value) - first) * perWidth), buckets - 1)] += 1
        }
        self.counts = counts
    }

    private static func each(_ lists: [UnsafeBufferPointer<Float>], _ stride: Int, _ body: (Float) -> Void) {
        var next = 0
        for number in unsafe lists.indices {
            let list = unsafe lists[number]
            while next < list.count {
                let value = unsafe list[next]
                if value.isFinite { body(value) }
                next += stride
            }
            next -= list.count
        }
    }
}
