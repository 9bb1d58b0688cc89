import Randomness
public import Tensors

extension HyperFormerMethod {
    /// See `Method`: linear layers N(0, 0.01), biases 0, embeddings N(0, 1), and the controllers' norms 1 and 0. Each tensor draws
    /// from a stream keyed by its index among the tensors.
    public func initialise(_ weights: Arena, seed: UInt64) {
        weights.clear()
        for (index, entry) in parameters.entries.enumerated() {
            var stream = RandomStream(seed: seed, purpose: .adapterInitialisation, a: UInt32(index))
            let values = unsafe UnsafeMutableBufferPointer(start: weights.base + entry.offset, count: entry.count)
            if entry.name.hasSuffix("embedding.weight") {
                unsafe fillNormal(values, deviation: 1, &stream)
            } else if controllers.contains(where: { $0.normWeight == entry }) {
                unsafe values.update(repeating: 1)
            } else if entry.name.hasPrefix("hypernet."), entry.name.hasSuffix(".weight") {
                unsafe fillNormal(values, deviation: 0.01, &stream)
            }
        }
    }
}
