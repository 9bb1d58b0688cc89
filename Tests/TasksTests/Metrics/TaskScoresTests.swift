import Failures
import Testing

@testable import Tasks

@Suite struct TaskScoresTests {
    private func labels(_ count: Int) -> [String] { (0..<count).map { "label \($0)" } }

    @Test(arguments: classificationGoldens)
    func `classification agrees with scikit-learn`(golden: ClassificationGolden) throws {
        let texts = labels(golden.classes)
        let answers = golden.answers.map { $0 < 0 ? "what" : " \(texts[$0])\n" }
        let scores = try TaskScores(
            answers: answers, gold: golden.gold.map { .label($0) }, space: .classes(texts),
            metrics: [.matthews, .accuracy, .f1], positive: PositiveClass(index: 1, label: "second"))
        #expect(scores.positive == "second")
        #expect(scores.figures.map(\.metric) == [.matthews, .accuracy, .f1])
        let expected = [golden.matthews, golden.accuracy, golden.f1]
        for (figure, expected) in zip(scores.figures, expected) {
            #expect(abs(figure.value - (expected ?? 0)) < 1e-12, "\(golden.name): \(figure)")
            #expect(figure.isUndefined == (expected == nil), "\(golden.name): \(figure)")
        }
        #expect(scores.examples == golden.gold.count)
        #expect(scores.invalidAnswers == golden.answers.count { $0 < 0 })
    }

    @Test(arguments: regressionGoldens)
    func `correlations agree with scipy`(golden: RegressionGolden) throws {
        let answers = golden.answers.map { $0 == -1 ? "nan" : "\($0)" }
        let scores = try TaskScores(
            answers: answers, gold: golden.gold.map { .score($0) },
            space: .grades(minimum: 0, maximum: 5, step: 0.2, decimals: 1), metrics: [.pearson, .spearman],
            positive: nil)
        for (figure, expected) in zip(scores.figures, [golden.pearson, golden.spearman]) {
            #expect(abs(figure.value - (expected ?? 0)) < 1e-10, "\(golden.name): \(figure)")
            #expect(figure.isUndefined == (expected == nil), "\(golden.name): \(figure)")
        }
        #expect(scores.invalidAnswers == golden.answers.count { $0 == -1 })
        #expect(Correlation.averageRanks(golden.answers) == golden.ranks)
    }

    @Test func `the goldens cover what is hard`() {
        #expect(classificationGoldens.contains { $0.answers.contains(-1) && $0.classes > 2 })
        #expect(classificationGoldens.contains { $0.matthews == nil && $0.f1 != nil })
        #expect(regressionGoldens.contains { $0.pearson == nil })
        #expect(Set(regressionGoldens.map(\.gold.count)).isSuperset(of: [1, 2]))
    }

    @Test func `a label is the trimmed text and nothing near it`() {
        let space = AnswerSpace.classes(["0", "1", "not entailed"])
        #expect(space.label(of: "1") == 1)
        #expect(space.label(of: " \t1\n") == 1)
        #expect(space.label(of: "not entailed") == 2)
        for text in ["", "01", "1.0", "1 1", "Not entailed", "not  entailed", "2"] {
            #expect(space.label(of: text) == nil, "\(text)")
        }
    }

    @Test func `a grade is a plain decimal number`() {
        let numbers: [(String, Double)] = [
            ("2.6", 2.6), ("5", 5), (" 0.0\n", 0), ("-1.5", -1.5), ("+3", 3), (".5", 0.5), ("4.", 4), ("40.2", 40.2),
        ]
        for (text, value) in numbers { #expect(AnswerSpace.number(of: text) == value, "\(text)") }
        let others = [
            "", " ", ".", "-", "+.", "nan", "inf", "-inf", "0x1p3", "1e3", "1,5", "1.2.3", "2.6 2.6", "--1", "1-",
            "٣", "three", String(repeating: "9", count: 400),
        ]
        for text in others { #expect(AnswerSpace.number(of: text) == nil, "\(text)") }
    }

    @Test func `metrics that such answers do not have are refused`() {
        let grades = AnswerSpace.grades(minimum: 0, maximum: 5, step: 0.2, decimals: 1)
        for (metric, space) in [(Metric.f1, grades), (.accuracy, grades), (.pearson, .classes(["0", "1"]))] {
            #expect {
                try TaskScores(answers: [], gold: [], space: space, metrics: [metric], positive: nil)
            } throws: {
                guard let failure = $0 as? Failure else { return false }
                return failure.code == .badConfiguration && failure.message.contains("\"\(metric.rawValue)\"")
            }
        }
    }

    @Test func `no examples give undefined figures, not a crash`() throws {
        let scores = try TaskScores(
            answers: [], gold: [], space: .classes(["0", "1"]), metrics: [.accuracy, .f1, .matthews],
            positive: PositiveClass(index: 1, label: "1"))
        #expect(scores.figures.allSatisfy { $0.isUndefined && $0.value == 0 })
        let grades = AnswerSpace.grades(minimum: 0, maximum: 5, step: 0.2, decimals: 1)
        let correlations = try TaskScores(
            answers: [], gold: [], space: grades, metrics: [.pearson, .spearman], positive: nil)
        #expect(correlations.figures.allSatisfy { $0.isUndefined && $0.value == 0 })
    }

    @Test func `the majority answer comes from training and is scored on the split`() throws {
        let training: [GoldAnswer] = [1, 1, 0, 1, 0].map { .label($0) }
        let gold: [GoldAnswer] = [0, 0, 0, 1].map { .label($0) }
        let scores = try TaskScores.majorityBaseline(
            training: training, gold: gold, space: .classes(["no", "yes"]), metrics: [.accuracy, .f1, .matthews],
            positive: PositiveClass(index: 1, label: "yes"))
        #expect(scores[.accuracy] == 0.25)
        // One true positive, three false positives.
        #expect(scores[.f1] == 0.4)
        #expect(scores.figures[2] == .init(metric: .matthews, value: 0, isUndefined: true))
        #expect(scores.invalidAnswers == 0)

        let grades = try TaskScores.majorityBaseline(
            training: [.score(1)], gold: [.score(1), .score(3)],
            space: .grades(minimum: 0, maximum: 5, step: 1, decimals: 0), metrics: [.pearson, .spearman], positive: nil)
        #expect(grades.figures.map(\.value) == [0, 0])
    }

    /// Three correct answers of the class that four rows have, and one false positive.
    @Test(arguments: [(0, 6.0 / 8), (1, 2.0 / 4)])
    func `F1 is that of the class that is asked for`(index: Int, expected: Double) throws {
        let gold: [GoldAnswer] = [0, 0, 0, 0, 1, 1].map { .label($0) }
        let scores = try TaskScores(
            answers: ["a", "a", "a", "b", "a", "b"], gold: gold, space: .classes(["a", "b"]),
            metrics: [.accuracy, .f1], positive: PositiveClass(index: index, label: "l\(index)"))
        #expect(scores[.f1] == expected)
        #expect(scores.positive == "l\(index)")
        let accuracy = try TaskScores(
            answers: ["a"], gold: [.label(0)], space: .classes(["a", "b"]), metrics: [.accuracy],
            positive: PositiveClass(index: 0, label: "l"))
        #expect(accuracy.positive == nil)
    }

    /// Training has equally many of both; three rows of the split are "b".
    @Test(arguments: [["a", "b"], ["b", "a"]])
    func `of equally frequent classes the majority answer does not depend on their order`(order: [String]) throws {
        func gold(_ texts: [String]) -> [GoldAnswer] { texts.map { .label(order.firstIndex(of: $0)!) } }
        let scores = try TaskScores.majorityBaseline(
            training: gold(["b", "a", "a", "b"]), gold: gold(["b", "b", "b", "a"]), space: .classes(order),
            metrics: [.accuracy], positive: nil)
        #expect(scores[.accuracy] == 0.25)
    }

    @Test func `the average counts figures and the mean over tasks counts tasks`() throws {
        func scores(_ values: [Double]) -> TaskScores {
            TaskScores(
                figures: values.map { .init(metric: .accuracy, value: $0) }, examples: 1, invalidAnswers: 0)
        }
        let average = try #require(ScoreAverage([scores([0.5, 1]), scores([0]), scores([])]))
        #expect(average.overFigures == 0.5)
        #expect(average.figures == 3)
        #expect(average.overTasks == 0.375)
        #expect(average.tasks == 2)
        #expect(ScoreAverage([]) == nil)
    }
}
