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

    @Test func `figures of a few examples are points of a curve of their own`() {
        let some = EvaluationRecord(Self.results, step: 3, split: "test", maxExamples: 8, seconds: 1)
        let all = EvaluationRecord(Self.results, step: 3, split: "test", seconds: 1)
        #expect(some.scalars.first?.tag == "test-8/average" && some.scalars.last?.tag == "test-8/mrpc/f1")
        #expect(all.scalars.first?.tag == "test/average" && all.scalars.last?.tag == "test/mrpc/f1")
    }
}
