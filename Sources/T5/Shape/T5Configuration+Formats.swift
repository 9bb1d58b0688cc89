import Backbone
public import Kernels

extension T5Configuration {
    /// The storage format of each tensor: `format` for the embedding, the projections and the output matrix. Norms and position
    /// biases stay float32.
    func formats(_ format: WeightFormat) -> [String: WeightFormat] {
        let matrices = Set(["shared.weight", "lm_head.weight"])
            .union(projectionGroups().flatMap { $0.projections.map { $0.name + ".weight" } })
        return Dictionary(
            uniqueKeysWithValues: tensorShapes().map { ($0.name, matrices.contains($0.name) ? format : .float32) })
    }

    /// Bytes of all weights in a format.
    public func weightBytes(_ format: WeightFormat) -> Int {
        let formats = formats(format)
        return tensorShapes().reduce(0) { sum, tensor in
            sum + (formats[tensor.name] ?? .float32).byteCount(tensor.shape.reduce(1, *))
        }
    }
}
