/// Pieces of work that several workers take in their order, each worker the next one as soon as it is free.
package enum TakenInTurn {
    /// The sum of the costs of the worker that has most to do; zero without work.
    package static func busiest<Cost: Comparable & AdditiveArithmetic>(
        _ costs: some Sequence<Cost>, workers: Int
    ) -> Cost {
        var loads = [Cost](repeating: .zero, count: max(1, workers))
        for cost in costs {
            var free = 0
            for worker in loads.indices where loads[worker] < loads[free] { free = worker }
            loads[free] += cost
        }
        return loads.max() ?? .zero
    }
}
