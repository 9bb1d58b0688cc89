import Kernels
public import Tensors

/// The cross-entropy of every label token with label smoothing: forward and backward.
public struct TokenLoss {
    private let smoothing: Float

    /// Creates the loss; a smoothing of 0 means none.
    public init(smoothing: Float) { self.smoothing = smoothing }

    /// Overwrites `losses` with the summed loss of each example, and `logits: [target rows, vocabulary]` with probabilities.
    public func forward(_ logits: MutableMatrix, of batch: RaggedBatch, into losses: inout [Double]) {
        precondition(logits.rows == batch.targets.count, "a row of logits for each target token")
        losses.removeAll(keepingCapacity: true)
        var row = 0
        for length in batch.targetLengths {
            var sum = 0.0
            for _ in 0..<length {
                unsafe sum += crossEntropyRow(
                    logits.row(row), label: Int(batch.targets[row]), smoothing: smoothing, count: logits.columns)
                row += 1
            }
            losses.append(sum)
        }
    }

    /// Overwrites the probabilities of `forward` with the gradient of the summed loss with respect to the logits.
    public func backward(_ probabilities: MutableMatrix, of batch: RaggedBatch) {
        precondition(probabilities.rows == batch.targets.count, "a row of probabilities for each target token")
        for (row, label) in batch.targets.enumerated() {
            unsafe crossEntropyRowBackward(
                probabilities.row(row), label: Int(label), smoothing: smoothing, count: probabilities.columns)
        }
    }
}
