import Randomness
public import Tensors

extension LowRankMethod {
    /// Overwrites `weights` with the seeded start: A uniform, B zero, C like the identity, and the hypernetwork as the method
    /// and the paper start it (linear layers Xavier-uniform, biases 0, embeddings N(0, 1), U ~ N(0, 0.02), c = 0).
    ///
    /// Each tensor draws from a stream keyed by its index among the tensors, so the start is the same on every rank.
    public func initialise(_ weights: Arena, seed: UInt64) {
        weights.clear()
        for (index, entry) in parameters.entries.enumerated() {
            var stream = RandomStream(seed: seed, purpose: .adapterInitialisation, a: UInt32(index))
            let values = unsafe UnsafeMutableBufferPointer(start: weights.base + entry.offset, count: entry.count)
            if entry.name.hasSuffix(".lora_A.weight") {
                let fan = options.aInitialisation == .kaimingRank ? options.rankA : entry.shape.last ?? 1
                unsafe fillUniform(values, bound: 1 / Double(fan).squareRoot(), &stream)
            } else if entry.name.hasSuffix(".lora_C.weight") {
                unsafe fillDiagonal(values)
            } else if entry.name.hasSuffix("embedding.weight") {
                unsafe fillNormal(values, deviation: 1, &stream)
            } else if entry.name == "hypernet.scale.weight" {
                unsafe fillNormal(values, deviation: 0.02, &stream)
            } else if entry.name.hasPrefix("hypernet."), entry.name.hasSuffix(".weight") {
                let bound = (6 / Double(entry.shape[0] + entry.shape[1])).squareRoot()
                unsafe fillUniform(values, bound: bound, &stream)
            }
        }
    }

    /// Writes ones on the diagonal of each `[rankB, rankA]`.
    private func fillDiagonal(_ values: UnsafeMutableBufferPointer<Float>) {
        let size = options.rankB * options.rankA
        for start in stride(from: 0, to: values.count, by: size) {
            for i in 0..<min(options.rankA, options.rankB) {
                unsafe values[start + i * options.rankA + i] = 1
            }
        }
    }
}
