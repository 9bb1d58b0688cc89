import Backbone
import Foundation
import Tensors

/// The relative position bias of one stack, expanded by distance so that a row of scores adds a contiguous row.
///
/// Source: Raffel et al., "Exploring the limits of transfer learning", JMLR 2020, section 2.1, and its code.
public struct RelativePositionBias: Sendable {
    private let values: Arena
    private let heads: Int
    private let reach: Int

    /// Expands the table `[buckets, heads]` for lengths up to `maximumLength`.
    init(_ table: Matrix, _ buckets: PositionBuckets, maximumLength: Int) {
        heads = table.columns
        reach = max(maximumLength, 1)
        values = Arena(count: table.columns * (2 * reach - 1))
        buckets.spread(table, into: values.matrix(at: 0, rows: table.columns, columns: 2 * reach - 1))
    }

    /// The largest length that it supports.
    public var maximumLength: Int { reach }

    /// The biases by head and distance.
    var view: DistanceBias {
        DistanceBias(values.readOnly.matrix(at: 0, rows: heads, columns: 2 * reach - 1))
    }

    /// The biases of a query at position `query` for the keys at positions 0, 1, ...
    func row(head: Int, query: Int) -> UnsafePointer<Float> { unsafe view.row(head: head, query: query) }
}

/// Assigns distances to the buckets of a stack's position bias.
struct PositionBuckets: Sendable {
    /// Whether keys after the query have their own buckets.
    let bidirectional: Bool
    /// Number of buckets.
    let count: Int
    /// From this distance on all positions share the last bucket.
    let maximumDistance: Int

    /// The bucket of `distance` = key position - query position.
    func bucket(_ distance: Int) -> Int {
        Self.bucket(
            distance, bidirectional: bidirectional, buckets: count, maximumDistance: maximumDistance)
    }

    /// Overwrites `values: [heads, 2 * reach - 1]`, starting with the distance `-(reach - 1)`, from a table `[buckets, heads]`.
    func spread(_ table: Matrix, into values: MutableMatrix) {
        precondition(table.rows == count && values.rows == table.columns, "position biases of another shape")
        let reach = (values.columns + 1) / 2
        for distance in (1 - reach)..<reach {
            let bucket = bucket(distance)
            for head in 0..<table.columns { unsafe values[head, distance + reach - 1] = table[bucket, head] }
        }
    }

    /// Backward of `spread`: adds the gradients by distance to the gradient of the table, `[buckets, heads]`.
    func gather(_ values: Matrix, addingTo table: MutableMatrix) {
        precondition(table.rows == count && values.rows == table.columns, "position biases of another shape")
        let reach = (values.columns + 1) / 2
        for distance in (1 - reach)..<reach {
            let bucket = bucket(distance)
            for head in 0..<table.columns { unsafe table[bucket, head] += values[head, distance + reach - 1] }
        }
    }

    /// The bucket of `distance` = key position - query position.
    ///
    /// Half of the buckets are exact, the others logarithmic up to `maximumDistance`. With `bidirectional` the upper half of
    /// all buckets is for keys after the query; without it such keys share bucket 0.
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
        // The original computes this in float32, and at a boundary the rounding decides the bucket.
        let ratio = logf(Float(d) / Float(exact)) / Float(log(Double(maximumDistance) / Double(exact)))
        d = exact + Int(ratio * Float(count - exact))
        return first + min(d, count - 1)
    }
}

extension T5Configuration {
    /// The buckets of a stack; those of the encoder cover both directions.
    func buckets(_ stack: Stack) -> PositionBuckets {
        PositionBuckets(
            bidirectional: stack == .encoder, count: positionBuckets, maximumDistance: positionMaxDistance)
    }
}
