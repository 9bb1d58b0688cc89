import Runs

extension InterferenceRecord {
    /// What the inner products of the tasks' gradients say.
    ///
    /// - Parameters:
    ///   - gram: of each task's gradient per label token; 0 for a task without one.
    ///   - weights: each task's weight in the mean gradient; those of tasks without a gradient do not count.
    init(
        step: Int, source: Source, tasks: [String], gram: GradientGram, weights: [Double], current: Current? = nil
    ) {
        let count = gram.count
        let all = 0..<count
        let isKnown = all.map { gram[$0, $0] > 0 }
        let total = all.reduce(0) { $0 + (isKnown[$1] ? weights[$1] : 0) }
        let shares = all.map { isKnown[$0] && total > 0 ? weights[$0] / total : 0 }
        let cosines = all.map { i in all.map { j in gram.cosine(i, j) } }
        let pairs = all.flatMap { i in (i + 1..<count).compactMap { cosines[i][$0] } }
        let longest = all.reduce(0) { $0 + shares[$1] * gram.norm($1) }
        self.init(
            step: step, source: source, tasks: tasks, cosines: cosines,
            norms: all.map { isKnown[$0] ? gram.norm($0) : nil }, weights: shares,
            conflictRate: pairs.isEmpty ? nil : Double(pairs.count { $0 < 0 }) / Double(pairs.count),
            effectiveStep: longest > 0 ? min(1, gram.squaredNorm(shares).squareRoot() / longest) : nil,
            effectiveSteps: all.map { isKnown[$0] ? gram.product($0, shares) / gram[$0, $0] : nil },
            current: current)
    }
}
