import Glibc

/// What decoding gives for one example.
public struct DecodedAnswer: Sendable, Equatable {
    /// The greedy answer, the end token included.
    public var tokens: [Int32] = []
    /// For each target of the example `log p(target | source)`, the sum of `log p` of its tokens, the end token included.
    public var logProbabilities: [Double] = []

    /// An answer without tokens, for an example without targets.
    public init() {}

    /// The log-probabilities given that the answer is one of the targets: their log-softmax, `l_i - log(sum_j exp(l_j))`.
    public var normalisedLogProbabilities: [Double] {
        guard let largest = logProbabilities.max() else { return [] }
        let sum = logProbabilities.reduce(0) { $0 + exp($1 - largest) }
        return logProbabilities.map { $0 - largest - log(sum) }
    }
}
