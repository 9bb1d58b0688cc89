import Backbone
import Failures
import Runs
import Tensors

/// Computes batches with a model and with `reference`, the same model in float32, and sums up their differences.
///
/// Both engines keep their activations until the next batch, so this needs twice the memory of one worker.
final class PrecisionComparison {
    private struct Side {
        let engine: any BackboneEngine
        let gradients: Arena

        init(_ backbone: any Backbone, _ model: AdaptedModel) {
            gradients = Arena(count: model.weights.count)
            let adaptation = model.method.adaptation(weights: model.weights.readOnly, gradients: gradients)
            engine = model.method.applied(to: backbone, weights: model.weights.readOnly)
                .engine(adaptation, workspace: Workspace())
        }
    }

    private let expected: Side
    private let found: Side
    private let layout: ParameterLayout
    private var encoder: [Discrepancy]
    private var decoder: [Discrepancy]
    private var losses = (expected: 0.0, found: 0.0)
    private var examples = 0
    private var tokens = (source: 0, label: 0)

    init(_ model: AdaptedModel, reference: any Backbone) {
        expected = Side(reference, model)
        found = Side(model.backbone, model)
        layout = model.method.parameters
        encoder = Array(repeating: Discrepancy(), count: model.backbone.shape.blocks(.encoder))
        decoder = Array(repeating: Discrepancy(), count: model.backbone.shape.blocks(.decoder))
    }

    /// Computes a batch without dropout, forward and backward, with both models.
    func add(_ batch: RaggedBatch, labelSmoothing: Float) {
        losses.expected += expected.engine.forward(batch, dropout: nil, labelSmoothing: labelSmoothing).sum
        losses.found += found.engine.forward(batch, dropout: nil, labelSmoothing: labelSmoothing).sum
        compare(.encoder, &encoder)
        compare(.decoder, &decoder)
        expected.engine.backward()
        found.engine.backward()
        examples += batch.count
        tokens.source += batch.sources.count
        tokens.label += batch.targets.count
    }

    private func compare(_ stack: Stack, _ blocks: inout [Discrepancy]) {
        let outputs = zip(expected.engine.blockOutputs(stack), found.engine.blockOutputs(stack))
        for (block, (a, b)) in outputs.enumerated() { blocks[block].add(a, b) }
    }

    /// The differences over all batches; throws `notFinite` when one of the numbers is not finite.
    func report(_ model: PrecisionReport.Model, products: ProductBackend, step: Int) throws(Failure) -> PrecisionReport
    {
        let report = PrecisionReport(
            model: model, products: products.description(model.products),
            reference: ProductBackend.openblas.version, step: step,
            examples: examples, sourceTokens: tokens.source, labelTokens: tokens.label,
            encoderErrors: encoder.map(\.relativeError), decoderErrors: decoder.map(\.relativeError),
            referenceLoss: losses.expected / Double(tokens.label),
            lossDifference: (losses.found - losses.expected) / Double(tokens.label), gradients: gradients)
        let figures = report.encoderErrors + report.decoderErrors + [report.referenceLoss, report.lossDifference]
        let ofGradients = report.gradients.map { [$0.cosine, $0.relativeError, $0.smallestCosine] } ?? []
        guard (figures + ofGradients).allSatisfy(\.isFinite) else {
            throw Failure(
                .notFinite,
                "the model in float32, or with \(model.description), gives numbers that are not finite on the first examples; check "
                    + "the model and its data")
        }
        return report
    }

    private var gradients: PrecisionReport.Gradients? {
        var whole = Discrepancy()
        var cosines: [(cosine: Double, name: String)] = []
        for entry in layout.entries {
            var tensor = Discrepancy()
            unsafe tensor.add(
                expected.gradients.base + entry.offset, found.gradients.base + entry.offset, count: entry.count)
            whole.add(tensor)
            if let cosine = tensor.cosine { cosines.append((cosine, entry.name)) }
        }
        // `min` would ignore a NaN, so NaNs are searched for first.
        let smallest = cosines.first { $0.cosine.isNaN } ?? cosines.min { $0.cosine < $1.cosine }
        guard let smallest, let cosine = whole.cosine else { return nil }
        return PrecisionReport.Gradients(
            cosine: cosine, relativeError: whole.relativeError, smallestCosine: smallest.cosine,
            smallestTensor: smallest.name, tensors: cosines.count)
    }
}
