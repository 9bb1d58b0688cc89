import Testing

@testable import Tasks

@Suite struct ExampleGroupsTests {
    private let space = AnswerSpace.classes(["no", "yes"])

    @Test func `a group counts when every answer in it is correct`() throws {
        let gold: [GoldAnswer] = [0, 1, 1, 0, 1, 0].map { .label($0) }
        // Groups 7 and 4 are mixed up in the rows; 7 has a wrong answer, 4 and 9 have none.
        let (answers, groups) = (["no", "yes", "no", "no", "yes", "no"], [7, 4, 7, 4, 9, 9])
        let scores = try TaskScores(
            answers: answers, gold: gold, space: space, metrics: [.accuracy, .groupExactMatch], positive: nil,
            groups: groups)
        #expect(scores.figures.map(\.value) == [5.0 / 6, 2.0 / 3])
        let split = AnsweredSplit(
            answers: answers, gold: gold, space: space, metrics: [.accuracy, .groupExactMatch], positive: nil,
            groups: groups)
        #expect(split.isConsistent && split.groups?.numbers == [0, 1, 0, 1, 2, 2])
        #expect(split.groups?.members == [[0, 2], [1, 3], [4, 5]])
        #expect(split.figures(of: Array(0..<6)) == scores.figures.map(\.value))
        // The wrong group twice and a right one once.
        #expect(split.figures(of: [0, 2, 1, 3, 0, 2]) == [4.0 / 6, 1.0 / 3])
    }

    @Test func `an answer that is no label spoils its group`() throws {
        let scores = try TaskScores(
            answers: ["no", "?"], gold: [.label(0), .label(1)], space: space, metrics: [.groupExactMatch],
            positive: nil, groups: [0, 0])
        #expect(scores[.groupExactMatch] == 0)
    }

    @Test func `answers without the groups of their figure are not consistent`() {
        let split = AnsweredSplit(classes: 2, metrics: [.groupExactMatch], gold: [0], answers: [0])
        #expect(!split.isConsistent)
        let other = AnsweredSplit(classes: 2, metrics: [.groupExactMatch], gold: [0], answers: [0], groups: [1, 2])
        #expect(!other.isConsistent)
    }

    @Test func `a limited evaluation takes whole groups`() {
        let groups = (0..<100).map { $0 / 3 }
        func positions(_ limit: Int) -> [Int] {
            ExampleSubset.positions(task: "t", count: 100, limit: limit, seed: 1, groups: groups)
        }
        let chosen = positions(31)
        #expect((28...31).contains(chosen.count) && chosen == chosen.sorted())
        #expect(Dictionary(grouping: chosen) { groups[$0] }.allSatisfy { $1.count == ($0 == 33 ? 1 : 3) })
        #expect((1...3).contains(positions(1).count))
        #expect(positions(100) == Array(0..<100))
    }
}
