import Backbone
import Configuration
import Kernels

/// A worker's memory for rows that products round: to bfloat16 or to 8 bits.
struct RoundingMemory {
    /// Bytes for each row of the widest operand.
    private let perRow: Int
    /// Bytes whatever the number of rows.
    private let fixed: Int

    init(_ configuration: RunConfiguration, _ shape: any BackboneShape) {
        let products = configuration.products
        let backend = try? ProductBackend(configuration)
        let groups = shape.projectionGroups()
        let widest = groups.map { max($0.inputWidth, $0.outputWidth) }.max() ?? 0
        if backend == .tiles {
            perRow = 0
            let packs = backend?.packs(configuration, training: true)
            // The output matrix uses the kind that stands for float32.
            let kinds = [packs?.forward, packs?.backward, .bf16x3].compactMap(\.self)
            let widths = [widest, shape.modelWidth, shape.vocabularySize]
            fixed =
                kinds.flatMap { kind in
                    widths.map { TileProducts.scratchBytes(kind, rows: 512, inner: $0) }
                }.max() ?? 0
            return
        }
        fixed = 0
        let (forward, backward) = (products.quantises.forward, products.quantises.backward)
        // Up to two bytes for each number.
        let isHalf = products == .bfloat16
        perRow =
            2
            * (groups.map {
                max(forward || isHalf ? $0.inputWidth : 0, backward || isHalf ? $0.outputWidth : 0)
            }.max() ?? 0)
    }

    func bytes(rows: Int) -> Int { fixed + rows * perRow }
}
