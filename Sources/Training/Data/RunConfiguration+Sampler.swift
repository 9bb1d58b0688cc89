import Configuration
package import Failures
package import Tasks

extension RunConfiguration {
    /// The stream of examples for tasks with these numbers of training examples. `batch` replaces the number of examples of a
    /// step, for measurements.
    package func sampler(_ mixture: Mixture, batch: Int? = nil) throws(Failure) -> Sampler {
        try Sampler(
            seed: seed, mixture: mixture, granularity: granularity.ofSampler,
            batch: batch ?? globalBatch, micro: microBatch)
    }

    /// Steps between those whose examples are computed once more, task by task, since their micro-batches mix tasks whose
    /// gradients are to be measured; nil for none.
    package var recomputesEvery: Int? { granularity == .example && conflict == .sum ? measuredInterference : nil }

    /// A notice about a cap that no task reaches; nil when there is no cap or it has an effect.
    package func capNotice(_ examples: [Int]) -> String? {
        guard let samplerCap, tasks.count > 1, examples.allSatisfy({ $0 <= samplerCap }) else { return nil }
        return "sampler.cap has no effect since no task has more than \(samplerCap) examples"
    }
}

extension GranularityChoice {
    fileprivate var ofSampler: Sampler.Granularity {
        switch self {
        case .batch: .batch
        case .microBatch: .microBatch
        case .example: .example
        }
    }
}
