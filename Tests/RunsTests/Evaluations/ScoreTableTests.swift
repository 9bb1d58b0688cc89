import Foundation
import Tasks
import Testing

@testable import Runs

@Suite struct ScoreTableTests {
    private static let results = [
        EvaluatedTask(
            name: "mrpc",
            scores: TaskScores(
                figures: [.init(metric: .accuracy, value: 0.5), .init(metric: .f1, value: 0.25, isUndefined: true)],
                examples: 8, invalidAnswers: 1, positive: "is one\n"))
    ]

    @Test func `F1 is named with the label that it is of, in the table and as JSON`() throws {
        let lines = ScoreTable(Self.results, baseline: [:]).text.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines[1].wholeMatch(of: #/mrpc +8  accuracy +50.0 +1/#) != nil, "\(lines[1])")
        #expect(lines[2].wholeMatch(of: #/ +f1 \(positive is one\\n\) \(undefined\) +25.0/#) != nil, "\(lines[2])")
        let record = EvaluationRecord(Self.results, step: 3, split: "test", maxExamples: 8, seconds: 1)
        #expect(record.tasks["mrpc"]?.positive == "is one\n")
        #expect(record.maxExamples == 8)
        let json = String(decoding: try EvaluationFile(record).json(), as: UTF8.self)
        #expect(json.contains("\"positive\" : \"is one\\n\"") && !json.contains("changed"), "\(json)")
    }

    @Test func `of free text the table has how many answers were cut off`() {
        func line(_ cut: Int) -> Substring {
            let scores = TaskScores(figures: [.init(metric: .tokenF1, value: 0.5)], examples: 8, invalidAnswers: cut)
            return ScoreTable([EvaluatedTask(name: "qa", scores: scores)], baseline: [:]).text.split(separator: "\n")[1]
        }
        #expect(line(3).wholeMatch(of: #/qa +8  token_f1 +50.0 +3 cut off/#) != nil, "\(line(3))")
        #expect(line(0).hasSuffix(" 0"))
    }

    @Test func `figures of labels are shown where they are few`() throws {
        func result(_ name: String, _ count: Int) -> EvaluatedTask {
            let labels = (0..<count).map {
                LabelScores(label: "l\($0)\n", examples: 3, precision: 0.5, recall: 0.25, f1: 1.0 / 3)
            }
            return EvaluatedTask(
                name: name, scores: TaskScores(figures: [], examples: 3 * count, invalidAnswers: 0, labels: labels))
        }
        let results = [result("few", 2), result("many", 5), result("none", 0)]
        let lines = try #require(LabelTable(results, most: LabelTable.few).text).split(separator: "\n")
        #expect(lines.count == 3 && !lines.joined().contains("many"))
        #expect(lines[1].wholeMatch(of: #/few +l0\\n +3 +50.0 +25.0 +33.3/#) != nil, "\(lines[1])")
        #expect(LabelTable(results, most: .max).text?.split(separator: "\n").count == 8)
        #expect(LabelTable([result("none", 0)], most: .max).text == nil)
        let record = EvaluationRecord(results, step: 3, split: "test", hasLabels: true, seconds: 1)
        #expect(record.tasks["few"]?.labels?.count == 2 && record.tasks["none"]?.labels == nil)
        #expect(EvaluationRecord(results, step: 3, split: "test", seconds: 1).tasks["few"]?.labels == nil)
    }

    @Test func `figures of a few examples are points of a curve of their own`() {
        let some = EvaluationRecord(Self.results, step: 3, split: "test", maxExamples: 8, seconds: 1)
        let all = EvaluationRecord(Self.results, step: 3, split: "test", seconds: 1)
        #expect(some.scalars.first?.tag == "test-8/average" && some.scalars.last?.tag == "test-8/mrpc/f1")
        #expect(all.scalars.first?.tag == "test/average" && all.scalars.last?.tag == "test/mrpc/f1")
    }
}
