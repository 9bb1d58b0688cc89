package import Backbone
package import Configuration
import Kernels
import Tensors

/// The private memory of a rank that answers lines (`predict`), computed from shapes.
package struct PredictionMemory {
    /// Bytes of the process, the adapter, and a group of lines with their answers.
    package let rankBytes: Int
    /// Largest number of bytes of a worker.
    package let workerBytes: Int
    /// The same where the log-probabilities of all labels are computed (`--scores`).
    package let scoringBytes: Int

    /// Lines, their tokens and answers: at most 8 MiB of lines are read before they are answered, and the answers are no longer.
    private static let groupBytes = 16 << 20

    /// - Parameters:
    ///   - longestTarget: tokens of the longest target of any task.
    ///   - labels: the number of labels or grades of each task of which scores are given.
    package init(
        _ configuration: RunConfiguration, shape: any BackboneShape, method: any Method, longestTarget: Int,
        labels: [Int]
    ) {
        rankBytes = RankMemory.processBytes + Self.groupBytes + method.parameters.count * RankMemory.bytesOfWeight
        let answer = configuration.maxNewTokens ?? max(4, longestTarget)
        let expanded = configuration.weightFormat == .float32 ? 0 : FrozenProducts.expandedBytes
        let rounding = RoundingMemory(configuration, shape, training: false)
        func worker(targets: Int) -> Int {
            let examples = AnswerGenerator.batch(configuration.evaluationBatch, targets: targets)
            let lengths = BatchLengths(examples: examples, source: configuration.maxSource, target: 0)
            let steps = targets == 0 ? answer : max(answer, longestTarget)
            return RankMemory.threadBytes + expanded
                + rounding.bytes(rows: max(lengths.sourceRows, examples * (1 + targets)))
                + shape.answeringBytes(lengths, steps: steps, targets: targets, method.footprint)
        }
        let plain = worker(targets: 0)
        workerBytes = plain
        scoringBytes = labels.reduce(plain) { max($0, worker(targets: $1)) }
    }
}
