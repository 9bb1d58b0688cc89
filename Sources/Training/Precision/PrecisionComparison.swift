import Backbone
import Failures
import Kernels
import Runs
import Tensors

/// Computes batches with a model and with `reference`, the same model in float32, and sums up their differences.
///
/// Both engines keep their activations until the next batch, so this needs twice the memory of one worker.
final class PrecisionComparison {
    private final class Side {
        let engine: any BackboneEngine
        let gradients: Arena
        /// The loss of the last forward, summed over its tokens.
        private(set) var loss = 0.0

        init(_ backbone: any Backbone, _ model: AdaptedModel) {
            gradients = Arena(count: model.weights.count)
            let adaptation = model.method.adaptation(weights: model.weights.readOnly, gradients: gradients)
            engine = model.method.applied(to: backbone, weights: model.weights.readOnly)
                .engine(adaptation, workspace: Workspace())
        }

        func forward(_ batch: RaggedBatch, labelSmoothing: Float) {
            loss = engine.forward(batch, dropout: nil, labelSmoothing: labelSmoothing).sum
        }
    }

    /// What one thread does with each side. The sides share only what is read, the weights.
    private final class SideWork: ThreadWork, @unchecked Sendable {
        private let sides: [Side]
        private let body: (Side) -> Void

        init(_ sides: [Side], _ body: @escaping (Side) -> Void) { (self.sides, self.body) = (sides, body) }

        func perform(_ number: Int) { body(sides[number]) }
    }

    private let expected: Side
    private let found: Side
    /// Threads for the two sides; nil to compute one after the other.
    private let threads: WorkerThreads?
    private let layout: ParameterLayout
    private var encoder: [Discrepancy]
    private var decoder: [Discrepancy]
    private var losses = (expected: 0.0, found: 0.0)
    private var examples = 0
    private var tokens = (source: 0, label: 0)

    /// With several `threads` both sides are computed at the same time.
    init(_ model: AdaptedModel, reference: any Backbone, threads: Int = 1) {
        if threads > 1 { BLAS.takeBuffers(threads: 2) }
        self.threads = threads > 1 ? WorkerThreads(count: 2) : nil
        expected = Side(reference, model)
        found = Side(model.backbone, model)
        layout = model.method.parameters
        encoder = Array(repeating: Discrepancy(), count: model.backbone.shape.blocks(.encoder))
        decoder = Array(repeating: Discrepancy(), count: model.backbone.shape.blocks(.decoder))
    }

    /// Computes a batch without dropout, forward and backward, with both models.
    func add(_ batch: RaggedBatch, labelSmoothing: Float) {
        onBoth { $0.forward(batch, labelSmoothing: labelSmoothing) }
        losses.expected += expected.loss
        losses.found += found.loss
        compare(.encoder, &encoder)
        compare(.decoder, &decoder)
        onBoth { $0.engine.backward() }
        examples += batch.count
        tokens.source += batch.sources.count
        tokens.label += batch.targets.count
    }

    private func onBoth(_ body: @escaping (Side) -> Void) {
        let work = SideWork([expected, found], body)
        guard let threads else {
            for side in 0..<2 { work.perform(side) }
            return
        }
        threads.run(work)
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
