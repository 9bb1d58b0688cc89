import Backbone
import Configuration
import Kernels

/// A worker's memory for rows that products round: to bfloat16 or to 8 bits.
struct RoundingMemory {
    /// Bytes for each row of the widest operand.
    private let perRow: Int
    /// The kinds of products on tiles, and the widths of their operands; the rows of each kind have memory of their own.
    private let tiles: (kinds: [ProductKind], widths: [Int])

    /// `training`: the backward is computed too.
    init(_ configuration: RunConfiguration, _ shape: any BackboneShape, training: Bool) {
        let products = configuration.products
        let backend = try? training ? ProductBackend(configuration) : ProductBackend.forUse(configuration)
        let groups = shape.projectionGroups()
        if let backend, backend == .tiles {
            perRow = 0
            let packs = backend.packs(configuration, training: training)
            // The output matrix uses the kind that stands for float32.
            let kinds = Set([packs.forward, packs.backward, .bf16x3].compactMap(\.self))
            let widths = groups.flatMap { [$0.inputWidth, $0.outputWidth] } + [shape.modelWidth, shape.vocabularySize]
            tiles = (kinds.sorted { $0.rawValue < $1.rawValue }, Set(widths).sorted())
            return
        }
        tiles = ([], [])
        let (forward, backward) = (products.quantises.forward, products.quantises.backward)
        // Up to two bytes for each number.
        let isHalf = products == .bfloat16
        perRow =
            2
            * (groups.map {
                max(forward || isHalf ? $0.inputWidth : 0, backward || isHalf ? $0.outputWidth : 0)
            }.max() ?? 0)
    }

    func bytes(rows: Int) -> Int {
        let scratch = tiles.kinds.map { kind in
            tiles.widths.map { TileProducts.scratchBytes(kind, rows: rows, inner: $0) }.max() ?? 0
        }
        return rows * perRow + scratch.reduce(0, +)
    }
}
