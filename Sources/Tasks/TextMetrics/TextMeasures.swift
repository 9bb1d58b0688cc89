/// What the figures of free text follow from, example by example, so that those of any sample of the examples follow too.
package struct TextMeasures: Codable, Sendable, Equatable {
    /// The values of the figures that are means over examples, by the figure's name.
    private let values: [String: [Double]]
    /// The counts of BLEU of each example; nil without that figure.
    private let counts: [[Int]]?

    /// Measures answers against all references of each example.
    init(_ answers: [String], references: [[String]], metrics: [Metric]) {
        precondition(answers.count == references.count, "references for each answer")
        var values: [String: [Double]] = [:]
        if metrics.contains(.exactMatch) || metrics.contains(.tokenF1) {
            let words = zip(answers, references).map { (AnswerWords($0), $1.map(AnswerWords.init)) }
            if metrics.contains(.exactMatch) {
                values[Metric.exactMatch.rawValue] = words.map { $1.contains($0) ? 1 : 0 }
            }
            if metrics.contains(.tokenF1) {
                values[Metric.tokenF1.rawValue] = words.map { own, others in others.map(own.f1).max() ?? 0 }
            }
        }
        if metrics.contains(.rougeL) {
            values[Metric.rougeL.rawValue] = zip(answers, references).map { answer, references in
                let own = RougeL(answer)
                return references.map { own.fMeasure(RougeL($0)) }.max() ?? 0
            }
        }
        self.values = values
        counts = metrics.contains(.bleu) ? zip(answers, references).map { BLEU.counts($0, references: $1) } : nil
    }

    /// Whether there is what these figures of `examples` examples follow from; a value that was read from a file may lack it.
    func isComplete(_ metrics: [Metric], examples: Int) -> Bool {
        metrics.allSatisfy { metric in
            metric == .bleu
                ? counts?.count == examples
                    && counts?.allSatisfy { counts in
                        counts.count == BLEU.countsOfExample && counts.allSatisfy { (0...(1 << 32)).contains($0) }
                    } ?? false
                : values[metric.rawValue]?.count == examples
        }
    }

    /// A figure of a sample, which may contain an example several times; nil without examples.
    func value(_ metric: Metric, of sample: some Collection<Int>) -> Double? {
        guard !sample.isEmpty else { return nil }
        if metric == .bleu {
            guard let counts else { return nil }
            var sums = [Int](repeating: 0, count: BLEU.countsOfExample)
            for example in sample {
                for index in sums.indices { sums[index] += counts[example][index] }
            }
            return BLEU.value(sums)
        }
        return values[metric.rawValue].map { values in
            sample.reduce(0) { $0 + values[$1] } / Double(sample.count)
        }
    }
}
