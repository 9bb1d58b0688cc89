import Failures
import Foundation
import TestSupport
import Testing

@testable import Tasks

/// What only MultiRC has: passages with questions with answers, which belong together.
@Suite struct MultiRCTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try SuperGLUETests.write(to: directory)
    }

    private func examples(_ splits: SplitRule) throws -> TaskExamples {
        try TaskExamples(SuperGLUE.task("multirc", directory: directory.path, splits: splits))
    }

    /// A passage with `questions` questions, which have two to four answers. In odd passages the keys are in another order.
    private static func passage(_ number: Int, questions: Int) -> String {
        let all = (0..<questions).map { question -> String in
            let answers = (0..<(2 + (number + question) % 3)).map {
                "{\"text\": \"a\($0)\", \"idx\": \($0), \"label\": \(($0 + number) % 2)}"
            }
            let (text, list) = ("\"question\": \"q\(question)\"", "\"answers\": [\(answers.joined(separator: ", "))]")
            return "{" + (number % 2 == 0 ? "\(text), \(list)" : "\(list), \(text)") + ", \"idx\": \(question)}"
        }
        let (text, list) = ("\"text\": \"passage \(number)\"", "\"questions\": [\(all.joined(separator: ", "))]")
        let passage = "\"passage\": {" + (number % 2 == 0 ? "\(text), \(list)" : "\(list), \(text)") + "}"
        return (number % 2 == 0 ? "{\"idx\": \(number), \(passage)}" : "{\(passage), \"idx\": \(number)}") + "\n"
    }

    @Test func `the answers to a question are a group, in whatever order the keys are`() throws {
        // Two questions, one question in a line with other keys first, two questions.
        let multirc = try examples(.dev)
        #expect(multirc.groups(split: 0) == [0, 0, 1, 2, 3, 3, 4])
        #expect(multirc.groups(split: 1) == [0, 0, 1, 2])
    }

    @Test func `one wrong answer spoils its question alone`() throws {
        let multirc = try examples(.dev)
        let gold = try (0..<7).map { try multirc.example(.train, $0).gold }
        let groups = try #require(multirc.groups(split: 0)).map(Int.init)
        #expect(gold == [1, 0, 1, 0, 1, 0, 1].map { .label($0) })
        func scores(_ answers: [String]) throws -> [Double] {
            let task = multirc.definition
            return try TaskScores(
                answers: answers, gold: gold, space: task.answers, metrics: task.metrics, positive: task.positiveClass,
                groups: groups
            ).figures.map(\.value)
        }
        #expect(try scores(["1", "0", "1", "0", "1", "0", "1"]) == [1, 1])
        // A positive answer that is missed: F1 is 2 * 3 / (2 * 3 + 1).
        #expect(try scores(["0", "0", "1", "0", "1", "0", "1"]) == [6.0 / 7, 4.0 / 5])
        // In the line with other keys, and two wrong answers to one question.
        #expect(try scores(["1", "0", "1", "1", "1", "0", "1"]) == [8.0 / 9, 4.0 / 5])
        #expect(try scores(["0", "1", "1", "0", "1", "0", "1"]) == [6.0 / 8, 4.0 / 5])
    }

    @Test func `no passage is divided between validation and test`() throws {
        try directory.write(
            "MultiRC/val.jsonl", (0..<11).map { Self.passage($0, questions: 1 + $0 % 4) }.joined())
        let multirc = try examples(.paper)
        func lines(_ split: SplitName) throws -> [Int] {
            try (0..<multirc.count(split)).map { try multirc.example(split, $0).line }
        }
        let (validation, test) = (try lines(.validation), try lines(.test))
        #expect(Set(validation).isDisjoint(with: test) && Set(validation + test) == Set(1...11))
        #expect(Set(validation).count == 5 && Set(test).count == 6)
        #expect(multirc.count(.validation) + multirc.count(.test) == multirc.report.files[1].rows)
        // Questions are still the groups of the figures.
        let groups = try #require(multirc.groups(split: 2)).map(Int.init)
        #expect(Set(groups).count > Set(test).count && groups == groups.sorted())
    }

    @Test func `what an average of some tasks lacks of SuperGLUE's score is named`() throws {
        func absence(_ names: [String]) throws -> String? {
            SuperGLUE.absence(from: try names.map { try SuperGLUE.task($0, directory: directory.path) })
        }
        let start = "SuperGLUE's own score is the average of its eight tasks; here it is without "
        #expect(try absence(SuperGLUE.names) == start + "ReCoRD")
        #expect(try absence(["cb"]) == start + "boolq, copa, multirc, superglue_rte, wic, wsc and ReCoRD")
        #expect(try absence([]) == nil)
        let glue = try GLUEFixture()
        let tasks = try [
            SuperGLUE.task("cb", directory: directory.path), GLUE.task("rte", directory: glue.path),
        ]
        #expect(SuperGLUE.absence(from: tasks) == nil)
    }
}
