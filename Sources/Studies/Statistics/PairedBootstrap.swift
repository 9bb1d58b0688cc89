import Randomness
import Runs
import Tasks

/// The difference between two lines of a study, with an interval from resampling.
///
/// One resample draws, for each task, seeds with replacement from those for which both lines have its figures, and test examples
/// with replacement; examples that have groups are drawn in whole groups. Both lines get the same draws, and so do tasks with
/// the same seeds: they are compared with the same seeds on the same examples, so what makes an example easy or a seed lucky
/// for both does not widen the interval. The average is that of the seeds for which both lines have all figures.
///
/// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
package struct PairedBootstrap {
    /// A difference, line minus reference, and the interval that holds 95 % of the resamples.
    package struct Difference: Codable, Equatable, Sendable {
        package var mean: Double
        package var low: Double
        package var high: Double
        /// Seeds for which both lines have the figure; for the average, all figures.
        package var seeds: Int
        /// Whether examples were drawn too; otherwise one of the runs has no record of its answers.
        package var overExamples: Bool

        package init(mean: Double, low: Double, high: Double, seeds: Int, overExamples: Bool) {
            self.mean = mean
            self.low = low
            self.high = high
            self.seeds = seeds
            self.overExamples = overExamples
        }
    }

    /// The differences of two lines.
    package struct Result: Equatable {
        /// By figure, in the order that was asked for; nil for a figure that not both lines have.
        package var figures: [Difference?]
        /// Of the mean of all figures; nil unless both lines have all for some seed.
        package var average: Difference?
    }

    /// Compares two lines on `figures`, those of one task in sequence. Returns nil when `isGivenUp`, which is asked before every
    /// resample, says so: many examples take minutes.
    package static func compare(
        _ line: [SeedResult], with reference: [SeedResult], _ figures: [StudyFigure], resamples: Int = Resampling.count,
        isGivenUp: () -> Bool = { false }
    ) -> Result? {
        let all = Array(zip(line, reference))
        var tasks: [String] = []
        for figure in figures where tasks.last != figure.task { tasks.append(figure.task) }
        func split(_ pairs: [(SeedResult, SeedResult)]) -> [Part] {
            tasks.enumerated().map { number, task in
                Part(task, figures.filter { $0.task == task }.map(\.metric), pairs, number: number)
            }
        }
        let parts = split(all)
        guard let draws = draws(of: parts, resamples, isGivenUp) else { return nil }
        let whole = all.indices.filter { index in
            all[index].0.isComplete && all[index].1.isComplete && parts.allSatisfy { $0.seeds.contains(index) }
        }
        var differences: [Difference?] = []
        for (part, draws) in zip(parts, draws) {
            for figure in part.observed.indices {
                differences.append(
                    difference(
                        part.observed[figure], draws.map { $0[figure] }, seeds: part.seeds.count,
                        overExamples: part.hasAnswers))
            }
        }
        guard !figures.isEmpty, !whole.isEmpty else { return Result(figures: differences, average: nil) }
        // Where every task has the same seeds, the draws are those of the average too.
        let isWhole = parts.allSatisfy { $0.seeds == whole }
        let common = isWhole ? parts : split(whole.map { all[$0] })
        guard let commonDraws = isWhole ? draws : self.draws(of: common, resamples, isGivenUp) else { return nil }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        let means = (0..<resamples).map { resample in mean(commonDraws.flatMap { $0[resample] }) }
        let average = difference(
            mean(common.flatMap(\.observed)), means, seeds: whole.count, overExamples: common.allSatisfy(\.hasAnswers))
        return Result(figures: differences, average: average)
    }

    /// The draws of all parts; nil when given up.
    private static func draws(of parts: [Part], _ resamples: Int, _ isGivenUp: () -> Bool) -> [[[Double]]]? {
        var draws: [[[Double]]] = []
        for part in parts {
            guard let own = part.draws(resamples, isGivenUp) else { return nil }
            draws.append(own)
        }
        return draws
    }

    /// The interval of some draws; nil without seeds.
    private static func difference(
        _ mean: Double, _ draws: [Double], seeds: Int, overExamples: Bool
    ) -> Difference? {
        guard seeds > 0, let interval = Resampling.interval(of: draws) else { return nil }
        return Difference(
            mean: mean, low: interval.lowerBound, high: interval.upperBound, seeds: seeds, overExamples: overExamples)
    }

    /// One task's figures of both lines, for all seeds for which both have them.
    private struct Part {
        /// Positions of these seeds among all pairs.
        let seeds: [Int]
        private let pairs: [(line: AnsweredSplit, reference: AnsweredSplit)]
        /// Recorded differences, by seed and figure.
        private let recorded: [[Double]]
        private let number: Int
        /// The examples of each group; nil without groups.
        private let groups: [[Int]]?
        let hasAnswers: Bool
        /// Mean differences over all seeds; zeros without seeds.
        let observed: [Double]

        init(_ task: String, _ metrics: [String], _ all: [(SeedResult, SeedResult)], number: Int) {
            self.number = number
            var (seeds, recorded): ([Int], [[Double]]) = ([], [])
            for (index, (line, reference)) in all.enumerated() {
                guard let a = line.tasks[task], let b = reference.tasks[task] else { continue }
                let differences = metrics.compactMap { metric in
                    a.figures[metric].flatMap { value in b.figures[metric].map { value - $0 } }
                }
                guard differences.count == metrics.count else { continue }
                seeds.append(index)
                recorded.append(differences)
            }
            self.seeds = seeds
            self.recorded = recorded
            observed = metrics.indices.map { index in Moments.mean(recorded.map { $0[index] }) ?? 0 }
            let pairs = seeds.compactMap { index in
                all[index].0.answers[task].flatMap { a in
                    all[index].1.answers[task].map { (line: a, reference: $0) }
                }
            }
            // All must be about the same examples, and have these figures.
            hasAnswers =
                !seeds.isEmpty && pairs.count == seeds.count
                && pairs.allSatisfy { pair in
                    [pair.line, pair.reference].allSatisfy {
                        $0.gold == pairs[0].line.gold && $0.classes == pairs[0].line.classes
                            && $0.groups == pairs[0].line.groups && ($0.texts == nil) == (pairs[0].line.texts == nil)
                            && $0.metrics.map(\.rawValue) == metrics
                    }
                }
            self.pairs = pairs
            groups = hasAnswers ? pairs[0].line.groups?.members : nil
        }

        /// The mean differences of each resample, by resample and figure; empty without seeds, nil when given up.
        func draws(_ resamples: Int, _ isGivenUp: () -> Bool) -> [[Double]]? {
            guard !seeds.isEmpty else { return [] }
            // Tasks with as many seeds get the same draws of them.
            var (seedStream, exampleStream) = (Resampling.seeds, Resampling.examples(ofTask: number))
            var draws: [[Double]] = []
            for _ in 0..<resamples {
                guard !isGivenUp() else { return nil }
                let drawn = seeds.map { _ in seedStream.below(seeds.count) }
                draws.append(draw(drawn, &exampleStream))
            }
            return draws
        }

        /// The mean differences for some seeds and newly drawn examples.
        private func draw(_ drawn: [Int], _ stream: inout RandomStream) -> [Double] {
            var sums = [Double](repeating: 0, count: observed.count)
            var known = [[Double]?](repeating: nil, count: recorded.count)
            var sample: [Int] = []
            if hasAnswers {
                sample = Resampling.sample(of: pairs[0].line.gold.count, groups: groups, &stream)
            }
            for seed in drawn {
                let differences = known[seed] ?? (hasAnswers ? differences(seed, sample) : recorded[seed])
                known[seed] = differences
                for index in sums.indices { sums[index] += differences[index] }
            }
            return sums.map { $0 / Double(drawn.count) }
        }

        private func differences(_ seed: Int, _ sample: [Int]) -> [Double] {
            zip(pairs[seed].line.figures(of: sample), pairs[seed].reference.figures(of: sample)).map { $0 - $1 }
        }
    }
}
