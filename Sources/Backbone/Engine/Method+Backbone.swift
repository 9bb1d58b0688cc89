import Kernels
public import Tensors

extension Method {
    /// Overwrites `weights` with the seeded start; tensors of the backbone start with the backbone's numbers.
    public func start(_ weights: Arena, seed: UInt64, on backbone: any Backbone) {
        initialise(weights, seed: seed)
        for entry in parameters.entries {
            guard let tensor = backbone.tensor(named: entry.name) else { continue }
            precondition(tensor.rows * tensor.columns == entry.count, "\(entry.name) has another shape in the backbone")
            unsafe tensor.copy(into: weights.base + entry.offset)
        }
    }

    /// Whether the trainables are all tensors of a backbone of this shape and nothing else.
    public func isWholeModel(of shape: any BackboneShape) -> Bool {
        Set(parameters.entries.map(\.name)) == Set(shape.tensorShapes().map(\.name))
    }

    /// The backbone that computes with the trained tensors in `weights`, for training with the method; the backbone itself when
    /// none of its tensors is trained.
    public func applied(to backbone: any Backbone, weights: ReadOnlyArena) -> any Backbone {
        var trained: [String: Matrix] = [:]
        for entry in parameters.entries where backbone.tensor(named: entry.name) != nil {
            trained[entry.name] = weights.matrix(entry)
        }
        return trained.isEmpty ? backbone : backbone.computing(with: trained, of: weights)
    }
}
