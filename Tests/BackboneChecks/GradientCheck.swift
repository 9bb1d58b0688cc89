public import Backbone
import Randomness
import Tensors
import TestSupport

/// Compares finite differences of the loss with the backward, tensor by tensor.
///
/// The forward is in single precision, so a difference of two losses of about 30 has a rounding error of about 3e-6, which a
/// step h turns into a slope error of 3e-6 / 2h. A longer step is affected by curvature and, in some places, by the kink of a
/// ReLU. Therefore each slope is measured with several steps: from both sides at once; if that fails, with a step and twice
/// that step, so that the third derivative cancels (Richardson's extrapolation); and from either side alone (a kink next to the
/// point is on one side of it). The best agreement counts, and a wrong gradient agrees with none. A loss that is NaN at any
/// step agrees with nothing. Slopes are compared along these directions: the gradient itself (finds a wrong size), a random one
/// over the whole tensor (finds a wrong direction), and single elements.
public struct GradientCheck {
    /// The method on its backbone.
    public let adapter: AdaptedBackbone
    /// The examples.
    public let batch: RaggedBatch
    private let dropout: DropoutKey?
    private let labelSmoothing: Float

    /// A check of the gradients of `adapter` for a batch, under these settings.
    public init(
        adapter: AdaptedBackbone, batch: RaggedBatch, dropout: DropoutKey? = nil, labelSmoothing: Float = 0
    ) {
        self.adapter = adapter
        self.batch = batch
        self.dropout = dropout
        self.labelSmoothing = labelSmoothing
    }

    /// Largest error allowed, relative to the tensor's gradient, along unit directions.
    public static let relative = 5e-3
    /// Error allowed in addition, for rounding.
    public static let absolute = 2e-3

    private static let steps: [Float] = [0.01, 0.003, 0.001, 0.0003]

    /// The tensors whose backward disagrees, and the measured values. Tensors that are frozen, or of which some rows are, are left
    /// out: their gradients are not computed.
    public func disagreements() -> [String] {
        disagreements(of: adapter.gradients(batch, dropout: dropout, labelSmoothing: labelSmoothing).gradients)
    }

    /// The same for given gradients.
    public func disagreements(of gradients: [Float]) -> [String] {
        let entries = adapter.method.parameters.entries
        let (engine, _) = adapter.engine()
        var found: [String] = []
        for (index, entry) in entries.enumerated() where adapter.method.trainedRows(of: entry) == nil {
            let gradient = Array(gradients[entry.range])
            for (name, direction) in directions(gradient, index) {
                let slope = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                let bound = Self.relative * norm(gradients[entry.range]) + Self.absolute
                let error = smallestError(of: slope, along: direction, entry, engine, enough: bound)
                if !(error <= bound) {
                    found.append("\(entry.name), \(name): backward \(slope), off by \(error), allowed \(bound)")
                }
            }
        }
        return found
    }

    private func norm(_ values: ArraySlice<Float>) -> Double {
        values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// Unit vectors to measure along.
    private func directions(_ gradient: [Float], _ index: Int) -> [(String, [Float])] {
        var stream = RandomStream(seed: 11, purpose: .test, a: UInt32(index))
        let random = gradient.map { _ in Float(stream.normal()) }
        var all = [("a random direction", unit(random))]
        let length = norm(gradient[...])
        if length > 0 { all.append(("its own direction", unit(gradient))) }
        for _ in 0..<2 {
            let i = stream.below(gradient.count)
            all.append(("element \(i)", gradient.indices.map { $0 == i ? 1 : 0 }))
        }
        return all
    }

    private func unit(_ values: [Float]) -> [Float] {
        let length = Float(norm(values[...]))
        return values.map { $0 / length }
    }

    private func smallestError(
        of slope: Double, along direction: [Float], _ entry: ParameterLayout.Entry, _ engine: any BackboneEngine,
        enough: Double
    ) -> Double {
        var best = Double.infinity
        func central(_ h: Float) -> Double {
            (loss(entry, direction, h, engine) - loss(entry, direction, -h, engine)) / (2 * Double(h))
        }
        for h in Self.steps {
            best = smaller(best, abs(central(h) - slope))
            if best <= enough { return best }
        }
        // Two long steps: their curvature is removed and their rounding error is small.
        for h in Self.steps {
            best = smaller(best, abs((4 * central(h) - central(2 * h)) / 3 - slope))
            if best <= enough { return best }
        }
        let here = loss(entry, direction, 0, engine)
        for h in Self.steps {
            for side in [h, -h] {
                let (near, far) = (loss(entry, direction, side, engine), loss(entry, direction, 2 * side, engine))
                best = smaller(best, abs((4 * near - 3 * here - far) / (2 * Double(side)) - slope))
            }
            if best <= enough { return best }
        }
        return best
    }

    /// The loss with one tensor moved by `h` along the direction.
    private func loss(
        _ entry: ParameterLayout.Entry, _ direction: [Float], _ h: Float, _ engine: any BackboneEngine
    ) -> Double {
        let tensor = UnsafeMutableBufferPointer(start: adapter.weights.base + entry.offset, count: entry.count)
        let before = Array(tensor)
        for i in tensor.indices { tensor[i] += h * direction[i] }
        defer { _ = tensor.update(fromContentsOf: before) }
        return engine.forward(batch, dropout: dropout, labelSmoothing: labelSmoothing).sum
    }
}
