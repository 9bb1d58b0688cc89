public import Failures
import Foundation

/// How often each task is drawn: `p_t = m_t^(1/T) / sum over u of m_u^(1/T)` with `m_t = min(n_t, cap)`.
///
/// `n_t` is the number of a task's training examples after hold-outs. Temperature `T` = 1 is proportional to size, infinity is
/// uniform, 10 is the default. Source: Raffel et al., T5, JMLR 2020, section 3.5.2.
public struct Mixture: Sendable, Equatable {
    /// A task of the mixture.
    public struct Entry: Sendable, Equatable {
        /// Name of the task.
        public let task: String
        /// Number of training examples, before the cap.
        public let examples: Int
        /// Probability that a draw takes this task; the shares of a mixture sum to 1.
        public let share: Double

        /// Expected passes over the task's training examples in `steps` steps of `batch` examples:
        /// `share * steps * batch / examples`.
        public func expectedPasses(steps: Int, batch: Int) -> Double {
            share * Double(steps) * Double(batch) / Double(examples)
        }
    }

    /// The tasks in their given order; the position is the task's index everywhere.
    public let entries: [Entry]

    /// Computes the shares of tasks with the given numbers of training examples.
    ///
    /// Throws `badConfiguration` for no task, a temperature that is not above 0 or a cap below 1, and `badData` for a
    /// task without training examples.
    public init(
        tasks: [(name: String, examples: Int)], temperature: Double = 10, cap: Int? = nil
    ) throws(Failure) {
        guard !tasks.isEmpty else {
            throw Failure(.badConfiguration, "the mixture has no task; name at least one task")
        }
        guard temperature > 0 else {
            throw Failure(
                .badConfiguration, "the sampling temperature is \(temperature); use a number above 0, or infinity")
        }
        if let cap, cap < 1 {
            throw Failure(.badConfiguration, "the sampling cap is \(cap); use at least 1, or leave it out")
        }
        for task in tasks where task.examples < 1 {
            throw Failure(
                .badData, "task \"\(task.name)\" has no training examples; give it some, or leave it out of the mixture"
            )
        }
        let sizes = tasks.map { Double(min($0.examples, cap ?? .max)) }
        // Sizes are relative to the largest, so that a temperature near 0 gives the largest task everything instead of 0/0.
        let largest = sizes.reduce(0, max)
        let weights = sizes.map { pow($0 / largest, 1 / temperature) }
        let total = weights.reduce(0, +)
        entries = zip(tasks, weights).map { Entry(task: $0.name, examples: $0.examples, share: $1 / total) }
    }
}
