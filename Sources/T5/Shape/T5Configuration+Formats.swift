import Backbone

extension T5Configuration {
    /// The format of each tensor of the model.
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
            sum + tensor.shape.reduce(1, *) * (formats[tensor.name] == .bfloat16 ? 2 : 4)
        }
    }
}
