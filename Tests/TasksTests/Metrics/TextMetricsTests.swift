import Testing

@testable import Tasks

@Suite struct TextMetricsTests {
    private static let metrics: [Metric] = [.exactMatch, .tokenF1, .rougeL, .bleu]

    @Test(arguments: textGoldens.indices)
    func `single answers agree with SQuAD's script, rouge-score and sacreBLEU`(index: Int) {
        let golden = textGoldens[index]
        let measures = TextMeasures([golden.answer], references: [golden.references], metrics: Self.metrics)
        #expect(measures.value(.exactMatch, of: [0]) == golden.exactMatch)
        for (metric, expected) in [(Metric.tokenF1, golden.tokenF1), (.rougeL, golden.rougeL)] {
            let value = measures.value(metric, of: [0]) ?? -1
            #expect(abs(value - expected) < 1e-12, "\(metric) of \(golden.answer.debugDescription): \(value)")
        }
        let tokens = BLEU.tokens(golden.answer).map { String(String.UnicodeScalarView($0)) }
        #expect(tokens.map { Array($0.utf8) } == golden.tokens.map { Array($0.utf8) })
    }

    @Test(arguments: corpusGoldens.indices)
    func `BLEU of a corpus agrees with sacreBLEU`(index: Int) {
        let golden = corpusGoldens[index]
        let parts = golden.places.map { textGoldens[$0] }
        let measures = TextMeasures(parts.map(\.answer), references: parts.map(\.references), metrics: [.bleu])
        let value = measures.value(.bleu, of: parts.indices) ?? -1
        #expect(abs(value - golden.bleu) < 1e-12, "\(golden.name): \(value)")
        // The same examples in another order, and as a sample of more.
        let all = TextMeasures(
            textGoldens.map(\.answer), references: textGoldens.map(\.references), metrics: [.bleu])
        #expect(abs((all.value(.bleu, of: golden.places.reversed()) ?? -1) - golden.bleu) < 1e-12)
    }

    @Test func `the goldens cover what is hard`() {
        #expect(textGoldens.contains { $0.answer.isEmpty && $0.tokenF1 == 1 })
        #expect(textGoldens.contains { $0.references.count > 2 && $0.exactMatch == 1 })
        #expect(textGoldens.contains { $0.answer.contains("Σ") && $0.exactMatch == 1 })
        #expect(textGoldens.contains { $0.tokenF1 == 1 && $0.rougeL == 0 })
        #expect(corpusGoldens.contains { $0.bleu == 0 } && corpusGoldens.contains { (0.1...0.9).contains($0.bleu) })
    }

    @Test func `figures of a split are means, but BLEU is of all answers together`() throws {
        let gold = textGoldens.map { GoldAnswer.texts($0.references) }
        let answers = textGoldens.map(\.answer)
        let scores = try TaskScores(
            answers: answers, gold: gold, space: .texts, metrics: Self.metrics, positive: nil, unfinished: 3)
        #expect(scores.figures.map(\.metric) == Self.metrics && scores.invalidAnswers == 3 && scores.labels.isEmpty)
        let count = Double(textGoldens.count)
        #expect(abs((scores[.exactMatch] ?? 0) - textGoldens.reduce(0) { $0 + $1.exactMatch } / count) < 1e-12)
        #expect(abs((scores[.tokenF1] ?? 0) - textGoldens.reduce(0) { $0 + $1.tokenF1 } / count) < 1e-12)
        #expect(abs((scores[.bleu] ?? 0) - corpusGoldens[0].bleu) < 1e-12)
        let split = AnsweredSplit(answers: answers, gold: gold, space: .texts, metrics: Self.metrics, positive: nil)
        #expect(split.isConsistent && split.texts == answers)
        #expect(split.figures(of: Array(answers.indices)) == scores.figures.map(\.value))
        #expect(split.figures(of: [0, 0, 3, 3]).prefix(2) == [0.5, 0.5])
        let other = AnsweredSplit(
            answers: answers, gold: gold.reversed(), space: .texts, metrics: Self.metrics, positive: nil)
        #expect(other.gold == split.gold.reversed() && other.gold != split.gold)
    }

    @Test func `no examples give undefined figures, not a crash`() throws {
        let scores = try TaskScores(answers: [], gold: [], space: .texts, metrics: Self.metrics, positive: nil)
        #expect(scores.figures.allSatisfy { $0.isUndefined && $0.value == 0 })
    }

    @Test func `the baseline is the most frequent training text, of equally frequent ones the first`() throws {
        func texts(_ texts: String...) -> [GoldAnswer] { texts.map { .texts([$0, "also"]) } }
        let scores = try TaskScores.majorityBaseline(
            training: texts("b", "c", "a", "c", "b"), gold: texts("b", "B.", "c", "x"), space: .texts,
            metrics: [.exactMatch], positive: nil)
        #expect(scores[.exactMatch] == 0.5)
    }
}
