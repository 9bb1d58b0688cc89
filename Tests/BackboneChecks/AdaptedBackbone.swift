public import Backbone
import Randomness
public import Tensors

/// A method on a tiny backbone; all its tensors differ from their start (B is not zero).
public struct AdaptedBackbone: Sendable {
    /// The model that computes with the trained tensors.
    public let model: any Backbone
    /// The method.
    public let method: any Method
    /// The trained numbers.
    public let weights: Arena

    /// `deviation` is the distance from the start.
    public init(_ backbone: any Backbone, _ method: any Method, seed: UInt64 = 7, deviation: Double = 0.15) {
        self.method = method
        weights = Arena(count: method.parameters.count)
        method.start(weights, seed: seed, on: backbone)
        for (index, entry) in method.parameters.entries.enumerated() {
            var stream = RandomStream(seed: seed, purpose: .test, a: UInt32(index))
            for i in entry.range {
                weights.base[i] += Float(deviation * stream.normal())
            }
        }
        model = method.applied(to: backbone, weights: weights.readOnly)
    }

    /// An engine with its own gradients.
    public func engine(workspace: Workspace = Workspace()) -> (engine: any BackboneEngine, gradients: Arena) {
        let gradients = Arena(count: method.parameters.count)
        let adaptation = method.adaptation(weights: weights.readOnly, gradients: gradients)
        return (model.engine(adaptation, workspace: workspace), gradients)
    }

    /// Summed loss and its gradients.
    public func gradients(
        _ batch: RaggedBatch, dropout: DropoutKey? = nil, labelSmoothing: Float = 0
    ) -> (loss: MicroBatchLoss, gradients: [Float]) {
        let (engine, gradients) = engine()
        let loss = engine.forward(batch, dropout: dropout, labelSmoothing: labelSmoothing)
        engine.backward()
        return (loss, Array(gradients.elements))
    }
}

extension RaggedBatch {
    /// Examples of `(source length, target length, task)` with random tokens from 2 to 36; token 1 ends both. Their slots start
    /// at `slot` and increase by two.
    public static func random(
        _ lengths: [(source: Int, target: Int, task: Int)], slot: UInt32 = 3, seed: UInt64 = 2
    ) -> RaggedBatch {
        var stream = RandomStream(seed: seed, purpose: .test)
        var batch = RaggedBatch()
        for (i, length) in lengths.enumerated() {
            func tokens(_ count: Int) -> [Int32] {
                (0..<count).map { $0 + 1 == count ? 1 : Int32(2 + stream.below(35)) }
            }
            batch.append(
                source: tokens(length.source), target: tokens(length.target), task: length.task,
                slot: slot + 2 * UInt32(i))
        }
        return batch
    }

    /// The examples with these indices, in this order.
    public func examples(_ numbers: [Int]) -> RaggedBatch {
        var chosen = RaggedBatch()
        for i in numbers {
            let (source, target) = (sourceLengths[..<i].reduce(0, +), targetLengths[..<i].reduce(0, +))
            chosen.append(
                source: sources[source..<source + sourceLengths[i]],
                target: targets[target..<target + targetLengths[i]], task: tasks[i], slot: slots[i])
        }
        return chosen
    }
}
