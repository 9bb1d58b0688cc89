public import Runs

/// Where each number stands among the whole numbers that are summed over all ranks.
///
/// Losses in quanta of 2^-40 (`FixedPoint`), counts as they are, and before them, in the exact sum, the gradients in the same
/// quanta. So the sum has the same bits for any number of ranks and any order.
struct StepSums {
    /// Number of trained weights.
    let parameters: Int
    /// Number of tasks.
    let tasks: Int
    /// How gradients are summed.
    let gradients: GradientSum

    init(parameters: Int, tasks: Int, gradients: GradientSum = .exact) {
        self.parameters = parameters
        self.tasks = tasks
        self.gradients = gradients
    }

    /// Words of the header, the last part of the buffer.
    enum Header: Int, CaseIterable {
        /// The step, summed: each rank adds its own.
        case step
        /// A check word of the step, layout, configuration and the examples of the step; all ranks must have the same.
        case check
        /// Its square, so that differences cannot cancel out.
        case checkSquared
        /// Ranks that met a value that is not finite, or too large for the exact sum.
        case bad
        /// Ranks that ask all to leave after this step.
        case stop
    }

    /// First word of the summed losses of each task.
    var losses: Int { gradients == .exact ? parameters : 0 }
    /// First word of the label tokens of each task.
    var tokens: Int { losses + tasks }
    /// First word of the examples of each task.
    var examples: Int { tokens + tasks }
    /// First word of the source tokens of each task.
    var sourceTokens: Int { examples + tasks }
    /// First word of the header.
    var header: Int { sourceTokens + tasks }
    /// All whole numbers.
    var count: Int { header + Header.allCases.count }
    /// Bytes of everything that a rank sums over the ranks.
    var bytes: Int { (count - losses) * MemoryLayout<Int64>.stride + parameters * gradients.bytes }
}

/// What one step did, the same on all ranks.
public struct StepResult: Sendable, Equatable {
    /// Sums of one task.
    public struct TaskSums: Sendable, Equatable, Codable {
        /// Summed loss in quanta of 2^-40.
        public var lossQuanta: Int64 = 0
        /// Label tokens.
        public var tokens: Int64 = 0
        /// Examples.
        public var examples: Int64 = 0
        /// Source tokens.
        public var sourceTokens: Int64 = 0
    }

    /// Sums of each task.
    public var tasks: [TaskSums]
    /// L2 norm of the gradient before clipping.
    public var gradientNorm: Double
    /// Learning rate that was used.
    public var learningRate: Double
    /// Why to leave after this step, if some rank asked for it.
    public var stop: StopReason?
    /// Whether it changed nothing, since a loss or gradient was not finite; the sums are 0 then.
    public var isSkipped = false
}
