import Backbone
import Kernels

/// The speed of products with frozen weights of one shape.
struct ProductRate: Encodable, Sendable {
    /// Rows of the input, M.
    var rows: Int
    /// `forward` for `x W^T`, `inputGradient` for `dy W`.
    var direction: String
    /// Width of the layer's input.
    var inputWidth: Int
    /// Width of the layer's output; together for projections that read the same input.
    var outputWidth: Int
    /// Number of matrices of this shape, with different weights, in a pass.
    var matrices: Int
    /// Rate of one thread while all threads compute.
    var gigaflopsPerSecond: Spread

    private struct Shape: Hashable {
        var rows: Int
        var isBackward: Bool
        var inputWidth: Int
        var outputWidth: Int
    }

    /// The rates of all shapes that occur in micro-batches with these rows, in the order of a pass.
    static func measure(_ replay: FrozenReplay, _ cases: [FrozenReplay.Rows], repeats: Int) -> [ProductRate] {
        var order: [Shape] = []
        var rates: [Shape: [Double]] = [:]
        var counts: [Shape: Int] = [:]
        for rows in cases {
            let shapes = replay.products.map { product in
                Shape(
                    rows: product.isTarget ? rows.target : rows.source, isBackward: product.isBackward,
                    inputWidth: product.matrix.inputWidth, outputWidth: product.matrix.outputWidth)
            }
            for shape in shapes where !order.contains(shape) { order.append(shape) }
            // In the first pass the library prepares shapes that it has not seen yet.
            _ = replay.times(rows)
            let runs = (0..<repeats).flatMap { _ in replay.times(rows) }
            for indices in Dictionary(grouping: shapes.indices, by: { shapes[$0] }) {
                let operations = indices.value.reduce(0) {
                    $0 + replay.products[$1].operations(rows: indices.key.rows)
                }
                counts[indices.key] = indices.value.count
                rates[indices.key, default: []] += runs.map { times in
                    operations / indices.value.reduce(0) { $0 + times[$1] } * 1e-9
                }
            }
        }
        return order.map { shape in
            ProductRate(
                rows: shape.rows, direction: shape.isBackward ? "inputGradient" : "forward",
                inputWidth: shape.inputWidth, outputWidth: shape.outputWidth, matrices: counts[shape] ?? 0,
                gigaflopsPerSecond: Spread(rates[shape] ?? []))
        }
    }
}
