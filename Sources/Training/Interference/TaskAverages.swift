import Tensors

/// A running average of each task's gradient, over the steps that trained it: `m = 0.9 m + 0.1 g`, beginning with the first
/// gradient itself.
///
/// Where a step trains one task, a task's gradient can be compared only with gradients of others from other steps; an average
/// also has less noise than the gradient of one batch. The averages are part of the run's state, so that a resumed run measures
/// the same.
package final class TaskAverages: @unchecked Sendable {
    // Unchecked: only the threads of a step write, each its own elements.

    /// The weight of what was before in a new average.
    static let decay: Float = 0.9

    /// The average of each task: `[trained weights]`, zeros until the task has been trained.
    let arenas: [Arena]
    /// How many steps have changed each average; 0 for a task that has not been trained.
    package private(set) var counts: [Int]

    /// Averages of no steps.
    package init(tasks: Int, parameters: Int) {
        arenas = (0..<tasks).map { _ in Arena(count: parameters, for: .trainables) }
        counts = [Int](repeating: 0, count: tasks)
    }

    /// Number of tasks.
    var tasks: Int { arenas.count }

    /// Whether a task has been trained since the averages began.
    package func isKnown(_ task: Int) -> Bool { counts[task] > 0 }

    /// A gradient of some elements becomes part of the task's average; `count` follows once for the whole step.
    func add(_ gradients: UnsafePointer<Float>, task: Int, from start: Int, count: Int) {
        precondition(start >= 0 && start + count <= arenas[task].count, "elements outside the average")
        let average = unsafe arenas[task].base + start
        guard isKnown(task) else { return unsafe average.update(from: gradients, count: count) }
        for i in 0..<count {
            unsafe average[i] = Self.decay * average[i] + (1 - Self.decay) * gradients[i]
        }
    }

    /// A step has changed the task's average.
    func count(_ task: Int) { counts[task] += 1 }

    /// Takes the counts of a saved state, whose averages are in the arenas.
    package func restore(counts: [Int]) { self.counts = counts }

    /// Overwrites the averages that differ from those of `other`, of the same sizes.
    package func copy(from other: TaskAverages) {
        for task in arenas.indices where counts[task] != other.counts[task] {
            arenas[task].copy(from: other.arenas[task])
        }
        counts = other.counts
    }
}
