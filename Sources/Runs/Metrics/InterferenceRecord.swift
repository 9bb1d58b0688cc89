/// One line of `metrics.jsonl` about how the gradients of the tasks go together at a step.
///
/// Deterministic: equal for every number of ranks, threads and interruptions. Docs: docs/interference.md.
package struct InterferenceRecord: Codable, Equatable, Sendable {
    /// What the gradients are.
    package enum Source: String, Codable, Sendable {
        /// Running averages of each task's gradients, since each step trains one task.
        case averages
        /// The gradients of this step's examples, task by task.
        case step
    }

    /// The gradient of the one task that the step trained, compared with the averages before this step.
    package struct Current: Codable, Equatable, Sendable {
        /// The task.
        package var task: String
        /// Its gradient's norm.
        package var norm: Double
        /// The cosine with the average of each task, its own included; nil for one without an average.
        package var cosines: [Double?]

        /// Creates the comparison.
        package init(task: String, norm: Double, cosines: [Double?]) {
            self.task = task
            self.norm = norm
            self.cosines = cosines
        }
    }

    package var kind = "interference"
    package var step: Int
    package var source: Source
    /// The tasks, in the order of the lists below.
    package var tasks: [String]
    /// `<g_i, g_j> / (||g_i|| ||g_j||)`; nil where a task has no gradient, or one of 0.
    package var cosines: [[Double?]]
    /// `||g_i||` of each task's gradient per label token; nil for a task without one.
    package var norms: [Double?]
    /// Each task's weight in the mean gradient; the weights of the tasks with a gradient sum to 1.
    package var weights: [Double]
    /// The share of the pairs of tasks whose cosine is negative; nil if there is no pair.
    package var conflictRate: Double?
    /// `||sum of w_i g_i|| / sum of w_i ||g_i||`, from 0 to 1: how much of the tasks' gradients remains in their mean; nil without
    /// gradients.
    package var effectiveStep: Double?
    /// `<g_i, sum of w_j g_j> / ||g_i||^2`: how far the mean gradient goes along a task's own one; negative where it
    /// harms the task.
    package var effectiveSteps: [Double?]
    /// The gradient of this step, where the others are averages.
    package var current: Current?

    /// Creates a line.
    package init(
        step: Int, source: Source, tasks: [String], cosines: [[Double?]], norms: [Double?], weights: [Double],
        conflictRate: Double?, effectiveStep: Double?, effectiveSteps: [Double?], current: Current? = nil
    ) {
        self.step = step
        self.source = source
        self.tasks = tasks
        self.cosines = cosines
        self.norms = norms
        self.weights = weights
        self.conflictRate = conflictRate
        self.effectiveStep = effectiveStep
        self.effectiveSteps = effectiveSteps
        self.current = current
    }

    /// Whether the lists have an entry for each task.
    package var isWhole: Bool {
        let count = tasks.count
        return cosines.count == count && cosines.allSatisfy { $0.count == count } && norms.count == count
            && weights.count == count && effectiveSteps.count == count
    }

    /// The cosine of two tasks; nil where it is not known.
    package func cosine(_ first: Int, _ second: Int) -> Double? { cosines[first][second] }
}
