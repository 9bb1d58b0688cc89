public import Configuration
package import Failures
import Foundation
import Tensors

/// How much a run's products with frozen weights change the results of its model, compared with the same weights in float32. It
/// is measured on examples of the run's own tasks, with its adapter, without dropout.
public struct PrecisionReport: Codable, Sendable, Equatable {
    /// Compares gradients of the adapter: `g` in float32 and `h` as the run computes them, summed over all label tokens.
    public struct Gradients: Codable, Sendable, Equatable {
        /// `<g, h> / (||g|| ||h||)` of all tensors as one vector.
        public var cosine: Double
        /// `||h - g|| / ||g||` of all tensors as one vector.
        public var relativeError: Double
        /// The smallest cosine of a single tensor, and its name.
        public var smallestCosine: Double
        /// The tensor with the smallest cosine.
        public var smallestTensor: String
        /// Number of tensors that have a gradient in either. When an adapter starts, B is zero, and so are the gradients of all
        /// others.
        public var tensors: Int

        /// Creates the comparison.
        package init(
            cosine: Double, relativeError: Double, smallestCosine: Double, smallestTensor: String, tensors: Int
        ) {
            self.cosine = cosine
            self.relativeError = relativeError
            self.smallestCosine = smallestCosine
            self.smallestTensor = smallestTensor
            self.tensors = tensors
        }
    }

    /// The keys of the configuration that are measured.
    public struct Model: Codable, Sendable, Equatable {
        /// `model.storage`.
        public var storage: ModelStorage
        /// `model.products`.
        public var products: ModelProducts

        /// Creates the value.
        package init(storage: ModelStorage, products: ModelProducts) {
            self.storage = storage
            self.products = products
        }

        /// Those of the two values that are not float32, as text; `float32` when both are.
        package var description: String {
            let names = [
                storage == .float32 ? nil : "\(storage.rawValue) storage",
                products == .float32 ? nil : "\(products.rawValue) products",
            ].compactMap(\.self)
            return names.isEmpty ? "float32" : names.joined(separator: " with ")
        }
    }

    /// The measured values.
    public var model: Model
    /// What computed the products of the run, and what computed those in float32 that they are compared with.
    public var products: String
    /// See `products`.
    public var reference: String
    /// Training steps of the adapter.
    public var step: Int
    /// Examples, taken from the tasks in turn.
    public var examples: Int
    /// Source and label tokens of these examples.
    public var sourceTokens: Int
    /// See `sourceTokens`.
    public var labelTokens: Int
    /// For each block of the encoder `||y - x|| / ||x||`, where `x` and `y` are the residual stream after it, all tokens
    /// together, in float32 and as the run computes it.
    public var encoderErrors: [Double]
    /// The same after each block of the decoder.
    public var decoderErrors: [Double]
    /// Mean loss per label token in float32 (nats).
    public var referenceLoss: Double
    /// The same as the run computes it, minus `referenceLoss`.
    public var lossDifference: Double
    /// Nil when no tensor has a gradient, as with method `frozen`.
    public var gradients: Gradients?

    /// Creates a report.
    package init(
        model: Model, products: String, reference: String, step: Int, examples: Int, sourceTokens: Int,
        labelTokens: Int, encoderErrors: [Double], decoderErrors: [Double], referenceLoss: Double,
        lossDifference: Double, gradients: Gradients? = nil
    ) {
        self.model = model
        self.products = products
        self.reference = reference
        self.step = step
        self.examples = examples
        self.sourceTokens = sourceTokens
        self.labelTokens = labelTokens
        self.encoderErrors = encoderErrors
        self.decoderErrors = decoderErrors
        self.referenceLoss = referenceLoss
        self.lossDifference = lossDifference
        self.gradients = gradients
    }

    /// The report as one line of JSON.
    package func jsonLine() throws(Failure) -> String {
        String(decoding: try StableJSON.line(self, "the report on the precision"), as: UTF8.self)
    }

    /// The report as one line for people.
    package var summary: String {
        func percent(_ value: Double) -> String { String(format: "%.2f %%", 100 * value) }
        let worst = max(encoderErrors.max() ?? 0, decoderErrors.max() ?? 0)
        let head =
            "precision: \(model.description) against float32 on \(examples) examples: blocks off by up to \(percent(worst)), the loss "
            + "by \(String(format: "%.5f of %.5f", lossDifference, referenceLoss))"
        guard let gradients else { return head }
        return head + String(format: ", cosine of the gradients %.5f", gradients.cosine)
            + String(format: " (of one tensor at least %.5f)", gradients.smallestCosine)
    }
}
