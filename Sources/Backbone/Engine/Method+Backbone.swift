import Kernels
import Tensors

extension Method {
    /// Overwrites `weights` with the seeded start, and the tensors of the backbone with its own numbers.
    public func start(_ weights: Arena, seed: UInt64, on backbone: any Backbone) {
        initialise(weights, seed: seed)
        for entry in parameters.entries {
            guard let tensor = backbone.tensor(named: entry.name) else { continue }
            precondition(tensor.rows * tensor.columns == entry.count, "\(entry.name) has another shape in the backbone")
            tensor.copy(into: weights.base + entry.offset)
        }
    }

    /// The backbone as it computes while the method trains: with the tensors that are trained in `weights`. The backbone
    /// itself where none is.
    public func applied(to backbone: any Backbone, weights: Arena) -> any Backbone {
        var trained: [String: Matrix] = [:]
        for entry in parameters.entries where backbone.tensor(named: entry.name) != nil {
            trained[entry.name] = weights.matrix(entry)
        }
        return trained.isEmpty ? backbone : backbone.computing(with: trained, of: weights)
    }
}
