import Foundation
import Tensors

/// The relative position bias of one stack, spread out by distance so that a row of scores adds a contiguous row.
///
/// Source: Raffel et al., "Exploring the limits of transfer learning", JMLR 2020, section 2.1, and its code.
public struct RelativePositionBias: Sendable {
    private let values: Arena
    private let reach: Int

    /// Spreads the table `[buckets, heads]` out for lengths up to `maximumLength`.
    public init(
        table: Matrix, bidirectional: Bool, buckets: Int, maximumDistance: Int, maximumLength: Int
    ) {
        reach = max(maximumLength, 1)
        let width = 2 * reach - 1
        values = Arena(count: table.columns * width)
        for distance in (1 - reach)..<reach {
            let bucket = Self.bucket(
                distance, bidirectional: bidirectional, buckets: buckets, maximumDistance: maximumDistance)
            for head in 0..<table.columns {
                values.base[head * width + distance + reach - 1] = table[bucket, head]
            }
        }
    }

    /// The largest length that it serves.
    public var maximumLength: Int { reach }

    /// The biases of a query at position `query` for the keys at positions 0, 1, ...
    func row(head: Int, query: Int) -> UnsafePointer<Float> {
        precondition(query < reach, "position beyond the relative position bias")
        return UnsafePointer(values.base + head * (2 * reach - 1) + reach - 1 - query)
    }

    /// The bucket of `distance` = key position - query position.
    ///
    /// Half of the buckets are exact, the others logarithmic up to `maximumDistance`; with `bidirectional` the upper
    /// half of all buckets is for keys after the query, else such keys share bucket 0.
    static func bucket(_ distance: Int, bidirectional: Bool, buckets: Int, maximumDistance: Int) -> Int {
        var first = 0
        var count = buckets
        var d: Int
        if bidirectional {
            count /= 2
            first = distance > 0 ? count : 0
            d = abs(distance)
        } else {
            d = max(-distance, 0)
        }
        let exact = count / 2
        if d < exact { return first + d }
        // In float32 as the original has it: at a boundary the rounding decides the bucket.
        let ratio = logf(Float(d) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact)))
        d = exact + Int(ratio * Float(count - exact))
        return first + min(d, count - 1)
    }
}
