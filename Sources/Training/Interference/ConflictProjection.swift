import Randomness

/// PCGrad: gradients of tasks that conflict are projected onto each other's normal planes before they are added.
///
/// `h_i = g_i`; then for each other task j, in random order: if `<h_i, g_j> < 0`, `h_i -= <h_i, g_j> / ||g_j||^2 g_j`. The
/// update's gradient is `sum of h_i`. Source: Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020, algorithm 1.
///
/// Every `h_i` is a combination of the gradients, so their inner products suffice.
struct ConflictProjection {
    private let seed: UInt64
    private var order: [UInt32] = []
    private var combination: [Double] = []

    /// `seed` decides, with the step, the order in which the other tasks come.
    init(seed: UInt64) { self.seed = seed }

    /// Overwrites `weights` with the `w_j` for which `sum of h_i = sum of w_j g_j`; all are 1 if no task conflicts with another.
    mutating func callAsFunction(_ gram: GradientGram, step: Int, into weights: inout [Double]) {
        let count = gram.count
        weights.removeAll(keepingCapacity: true)
        weights.append(contentsOf: repeatElement(0, count: count))
        for task in 0..<count {
            var stream = RandomStream(
                seed: seed, purpose: .conflictOrder, a: UInt32(truncatingIfNeeded: step), b: UInt32(task))
            stream.permute(&order, count: count)
            combination.removeAll(keepingCapacity: true)
            combination.append(contentsOf: repeatElement(0, count: count))
            combination[task] = 1
            for other in order.lazy.map({ Int($0) }) where other != task {
                let along = gram.product(other, combination)
                // A task without a gradient in this step conflicts with none.
                if along < 0, gram[other, other] > 0 { combination[other] -= along / gram[other, other] }
            }
            for other in 0..<count { weights[other] += combination[other] }
        }
    }
}
