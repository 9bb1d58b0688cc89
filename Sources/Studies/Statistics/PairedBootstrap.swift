import Randomness
import Runs
import Tasks

/// The difference between two lines of a study, with an interval from resampling.
///
/// One resample draws seeds with replacement from those that both lines have, and for each task test examples with
/// replacement. Both lines get the same draws: they are compared with the same seeds on the same examples, so what makes an
/// example easy or a seed lucky for both does not widen the interval.
///
/// Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
package struct PairedBootstrap {
    /// A difference, line minus reference, and the interval that holds 95 % of the resamples.
    package struct Difference: Codable, Equatable, Sendable {
        package var mean: Double
        package var low: Double
        package var high: Double
        /// Seeds that both lines have.
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
        /// Of the mean of all figures; nil unless both lines have all.
        package var average: Difference?
    }

    static let resamples = 2_000
    private static let seed: UInt64 = 1

    /// Compares two lines on `figures`, those of one task in sequence.
    package static func compare(
        _ line: [SeedResult], with reference: [SeedResult], _ figures: [StudyFigure], resamples: Int = resamples
    ) -> Result {
        let pairs = Array(zip(line, reference)).filter { $0.isComplete && $1.isComplete }
        var tasks: [String] = []
        for figure in figures where tasks.last != figure.task { tasks.append(figure.task) }
        let parts = tasks.map { task in
            Part(task, figures.filter { $0.task == task }.map(\.metric), pairs)
        }
        guard !pairs.isEmpty else { return Result(figures: figures.map { _ in nil }, average: nil) }
        var draws = [[Double]](repeating: [], count: figures.count)
        var means: [Double] = []
        var seedStream = RandomStream(seed: seed, purpose: .resampling)
        var exampleStreams = parts.indices.map { part in
            RandomStream(seed: seed, purpose: .resampling, a: 1, b: UInt32(part))
        }
        for _ in 0..<resamples {
            let seeds = pairs.indices.map { _ in seedStream.below(pairs.count) }
            var values: [Double] = []
            for (index, part) in parts.enumerated() {
                values += part.draw(seeds, &exampleStreams[index])
            }
            for (index, value) in values.enumerated() { draws[index].append(value) }
            means.append(values.reduce(0, +) / Double(max(values.count, 1)))
        }
        let observed = parts.flatMap(\.observed)
        let hasExamples = parts.flatMap { part in part.observed.map { _ in part.hasAnswers } }
        let isThere = parts.flatMap { part in part.observed.map { _ in part.isThere } }
        func difference(_ mean: Double, _ draws: [Double], _ overExamples: Bool) -> Difference? {
            let sorted = draws.sorted()
            guard let low = Moments.quantile(0.025, ofSorted: sorted),
                let high = Moments.quantile(0.975, ofSorted: sorted)
            else { return nil }
            return Difference(mean: mean, low: low, high: high, seeds: pairs.count, overExamples: overExamples)
        }
        let all = !figures.isEmpty && isThere.allSatisfy(\.self)
        return Result(
            figures: figures.indices.map { index in
                isThere[index] ? difference(observed[index], draws[index], hasExamples[index]) : nil
            },
            average: all
                ? difference(
                    observed.reduce(0, +) / Double(observed.count), means, hasExamples.allSatisfy(\.self)) : nil)
    }

    /// One task's figures of both lines, for all common seeds.
    private struct Part {
        private let pairs: [(line: AnsweredSplit, reference: AnsweredSplit)]
        /// Recorded differences, by seed and figure.
        private let recorded: [[Double]]
        let isThere: Bool
        let hasAnswers: Bool
        /// Mean differences over all seeds.
        let observed: [Double]

        init(_ task: String, _ metrics: [String], _ all: [(SeedResult, SeedResult)]) {
            var recorded: [[Double]] = []
            for (line, reference) in all {
                guard let a = line.tasks[task], let b = reference.tasks[task] else { continue }
                let differences = metrics.compactMap { metric in
                    a.figures[metric].flatMap { value in b.figures[metric].map { value - $0 } }
                }
                if differences.count == metrics.count { recorded.append(differences) }
            }
            isThere = !all.isEmpty && recorded.count == all.count
            self.recorded = recorded
            let zero = [Double](repeating: 0, count: metrics.count)
            observed =
                isThere
                ? metrics.indices.map { index in Moments.mean(recorded.map { $0[index] }) ?? 0 } : zero
            let pairs = all.compactMap { line, reference in
                line.answers[task].flatMap { a in reference.answers[task].map { (line: a, reference: $0) } }
            }
            // All must be about the same examples, and have these figures.
            hasAnswers =
                isThere && pairs.count == all.count
                && pairs.allSatisfy { pair in
                    [pair.line, pair.reference].allSatisfy {
                        $0.gold == pairs[0].line.gold && $0.classes == pairs[0].line.classes
                            && $0.metrics.map(\.rawValue) == metrics
                    }
                }
            self.pairs = pairs
        }

        /// The mean differences for some seeds and newly drawn examples.
        func draw(_ seeds: [Int], _ stream: inout RandomStream) -> [Double] {
            guard isThere else { return observed }
            var sums = [Double](repeating: 0, count: observed.count)
            var known = [[Double]?](repeating: nil, count: recorded.count)
            var sample: [Int32] = []
            if hasAnswers {
                let count = pairs[0].line.gold.count
                sample = (0..<count).map { _ in Int32(stream.below(count)) }
            }
            for seed in seeds {
                let differences = known[seed] ?? (hasAnswers ? differences(seed, sample) : recorded[seed])
                known[seed] = differences
                for index in sums.indices { sums[index] += differences[index] }
            }
            return sums.map { $0 / Double(seeds.count) }
        }

        private func differences(_ seed: Int, _ sample: [Int32]) -> [Double] {
            zip(pairs[seed].line.figures(of: sample), pairs[seed].reference.figures(of: sample)).map { $0 - $1 }
        }
    }
}
