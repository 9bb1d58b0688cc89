import Foundation
import Tasks
import Testing

@testable import Training

/// The figures of the data as people read them.
@Suite struct DataReportTests {
    /// Two tasks; the second has no validation, and a split without examples.
    private static let figures = """
        {"maxSource": 128, "tasks": [
          {"task": "rte", "files": [], "dropped": {"count": 0, "equalText": []}, "splits": [
            {"split": "train", "examples": 2490, \(sources(195618, 78.5622, 128, cut: (471, 0.18916))), \(answers(7470)),
             "labels": [\(label("entailment", "0", 1249, 0.50161)), \(label("not\\nentailment", "1", 1241, 0.49839))],
             "repeated": {"count": 2, "share": 0.0008, "otherAnswer": 0}, "equalText": []},
            {"split": "validation", "label": "half", "examples": 9,
             \(sources(90, 10, 12, cut: (0, 0))), \(answers(27)),
             "labels": [\(label("entailment", "0", 9, 1)), \(label("not\\nentailment", "1", 0, 0))],
             "repeated": {"count": 0, "share": 0, "otherAnswer": 0},
             "equalText": [{"with": "train", "count": 3, "share": 0.3333, "otherAnswer": 1}]}]},
          {"task": "stsb", "files": [], "dropped": {"count": 0, "equalText": []}, "splits": [
            {"split": "train", "examples": 40, \(sources(400, 10, 21, cut: (0, 0))), \(answers(160)),
             "scores": {"minimum": 0, "maximum": 5, "mean": 2.70099, "quartiles": [1.5, 3, 3.8]},
             "repeated": {"count": 0, "share": 0, "otherAnswer": 0}, "equalText": []},
            {"split": "test", "examples": 0, \(noSources), "answers": {"total": 0},
             "repeated": {"count": 0, "share": 0, "otherAnswer": 0},
             "equalText": [{"with": "train", "count": 0, "share": 0, "otherAnswer": 0}]}]}]}
        """

    private static func sources(_ total: Int, _ mean: Double, _ longest: Int, cut: (Int, Double)) -> String {
        let lengths = "\"total\": \(total), \"mean\": \(mean), \"percentile95\": \(longest - 2)"
        return """
            "sources": {"tokens": {\(lengths), "longest": \(longest)}, "whole": {\(lengths), "longest": \(longest + 189)},
             "cut": {"count": \(cut.0), "share": \(cut.1)}, "lost": [], "unknownTokens": {"count": 44, "share": 0.0002},
             "unknownCharacters": {"count": 44, "share": 0.00006}, "withUnknown": {"count": 27, "share": 0.0108},
             "withAddedTokens": {"count": 0, "share": 0}}
            """
    }

    private static let noSources = """
        "sources": {"tokens": {"total": 0}, "whole": {"total": 0}, "cut": {"count": 0, "share": 0}, "lost": [],
         "unknownTokens": {"count": 0, "share": 0}, "unknownCharacters": {"count": 0, "share": 0},
         "withUnknown": {"count": 0, "share": 0}, "withAddedTokens": {"count": 0, "share": 0}}
        """

    private static func answers(_ total: Int) -> String {
        "\"answers\": {\"total\": \(total), \"mean\": 3, \"percentile95\": 3, \"longest\": 3}"
    }

    private static func label(_ label: String, _ answer: String, _ count: Int, _ share: Double) -> String {
        "{\"label\": \"\(label)\", \"answer\": \"\(answer)\", \"count\": \(count), \"share\": \(share)}"
    }

    private func statistics() throws -> DataStatistics {
        try JSONDecoder().decode(DataStatistics.self, from: Data(Self.figures.utf8))
    }

    /// The report of a task; figures that a test does not name are zero.
    private func report(_ splits: [String], dropped: String = "") throws -> TaskReport {
        let text = """
            {"task": "rte", "files": [{"name": "train.tsv", "examples": 8, "badRows": 1, "incompleteRows": 0,
              "ignoredRows": 0, "firstBadRow": "train.tsv:3: it is bad"}], \(dropped.isEmpty ? noDropped : dropped),
             "splits": [\(splits.joined(separator: ", "))]}
            """
        return try JSONDecoder().decode(TaskReport.self, from: Data(text.utf8))
    }

    private let noDropped = "\"droppedDuplicates\": 0, \"dropped\": []"

    private func split(
        _ name: String, unknown: Int = 0, added: Int = 0, repeated: (Int, Int) = (0, 0), equal: String = ""
    ) -> String {
        """
        {"name": "\(name)", "examples": 8, "equalText": [\(equal)],
         "repeated": {"examples": \(repeated.0), "otherAnswer": \(repeated.1)}, "whole": {"total": 80},
         "sources": {"truncated": 0, "lost": [], "withAddedTokens": \(added), "withUnknown": \(unknown),
          "tokens": 1000, "unknownTokens": \(unknown), "characters": 4000, "unknownCharacters": \(unknown)}}
        """
    }

    @Test func `prepare shows all figures in three tables`() throws {
        let expected = """
            sources in tokens, end included, cut to 128; uncut is the longest before the cut
            task  split              examples  tokens  mean  p95  longest  uncut     cut  unknown
            rte   train                  2490  195618  78.6  126      128    317  18.9 %  0.020 %
                  validation (half)         9      90  10.0   10       12    201     0 %  0.020 %
            stsb  train                    40     400  10.0   19       21    210     0 %  0.020 %
                  test                      0       0                                0 %      0 %

            answers in tokens, end included; examples whose text is repeated in its split or is also in an earlier split \
            (those with another answer there)
            task  split              tokens  mean  longest  repeated  in train
            rte   train                7470  3.00        3     2 (0)
                  validation (half)      27  3.00        3     0 (0)     3 (1)
            stsb  train                 160  3.00        3     0 (0)
                  test                    0                    0 (0)     0 (0)

            labels or scores, examples
            task  label            answer          train   validation  test
            rte   entailment       0       1249 (50.2 %)  9 (100.0 %)
                  not\\nentailment  1       1241 (49.8 %)      0 (0 %)
            stsb  minimum                              0
                  25 %                               1.5
                  50 %                                 3
                  75 %                               3.8
                  maximum                              5
                  mean                             2.701
            """
        let text = try DataTables(statistics()).text
        #expect(text == expected, "\n\(text)")
    }

    @Test func `train shows one line for a task, and a second one if there is more to say`() throws {
        let plain = try report([split("train"), split("validation")])
        // The report of a task whose rows are all examples.
        let lines = DataReport.lines(try statistics(), [plain, plain])
        try #require(lines.count == 4)
        #expect(
            lines[0]
                == "rte: 2490 train, 9 validation examples; train sources: 195618 tokens (mean 78.6, p95 126, longest "
                + "128), 18.9 % cut, 0.020 % unknown; train answers: entailment 50.2 %, not\\nentailment 49.8 %")
        #expect(lines[1] == "rte: 1 bad rows left out (the first is train.tsv:3: it is bad)")
        #expect(
            lines[2]
                == "stsb: 40 train, 0 test examples; train sources: 400 tokens (mean 10.0, p95 19, longest 21), 0 % cut, "
                + "0.020 % unknown; train answers: scores 0 to 5, mean 2.70")
    }

    @Test func `of many labels the extremes are shown`() throws {
        let labels = (0..<9).map { Self.label("class \($0)", "\($0)", $0 + 1, Double($0 + 1) / 45) }
        let text = Self.figures.replacing(
            #/"labels": \[[^\]]*\]/#, with: "\"labels\": [\(labels.joined(separator: ", "))]")
        let many = try JSONDecoder().decode(DataStatistics.self, from: Data(text.utf8))
        let line = DataReport.lines(many, [try report([split("train")])])[0]
        #expect(line.hasSuffix("train answers: 9 labels, from class 0 2.2 % to class 8 20.0 %"), "\(line)")
    }

    @Test func `repeated, shared and dropped texts are named with those that have another answer`() throws {
        let dropped = """
            "droppedDuplicates": 5, "firstDropped": "train.tsv:2", "dropped": [
              {"with": "validation", "examples": 4, "otherAnswer": 3}, {"with": "test", "examples": 2, "otherAnswer": 0},
              {"with": "other", "examples": 0, "otherAnswer": 0}]
            """
        let equal = """
            {"with": "train", "examples": 3, "otherAnswer": 1}, {"with": "other", "examples": 0, "otherAnswer": 0}
            """
        let report = try report(
            [split("train", repeated: (3, 2)), split("test", repeated: (1, 0), equal: equal)], dropped: dropped)
        let expected =
            "rte: 1 bad rows left out (the first is train.tsv:3: it is bad), 5 duplicates dropped from train (the first is "
            + "train.tsv:2): 4 of validation (3 with another answer there) and 2 of test"
        let more =
            ", 3 train examples repeat the text of an earlier one (2 have a text with several answers), 3 test examples have "
            + "a text that is also in train (1 with another answer there)"
        #expect(DataReport.notices([report], maxSource: 128) == [expected + more])
        // The tables have the rest.
        #expect(DataReport.remarks([report], maxSource: 128) == [expected])
        // An evaluation says nothing about rows of other splits.
        #expect(DataReport.notices([report], of: .test, maxSource: 128).isEmpty)
    }

    @Test func `train is silent about a little unknown text, prepare is not`() throws {
        let little = try report([split("train", unknown: 8, added: 2)])
        #expect(DataReport.notices([little], maxSource: 128).map { $0.contains("unknown") } == [false])
        let remark = try #require(DataReport.remarks([little], maxSource: 128).last)
        #expect(
            remark
                == "rte: train: 0.2 % of the characters unknown to the vocabulary (0.8 % of the tokens, in 8 of 8 sources), "
                + "2 train sources have special or added tokens")
        let more = try report([split("train", unknown: 20)])
        #expect(DataReport.notices([more], of: .train, maxSource: 128).count == 1)
        #expect(DataReport.warnings([more]).isEmpty)
        let most = try report([split("train", unknown: 300)])
        #expect(DataReport.warnings([most]).count == 1)
        // The warning says it.
        #expect(DataReport.notices([most], maxSource: 128).allSatisfy { !$0.contains("unknown") })
        #expect(DataReport.notices([most], of: .train, maxSource: 128).count == 1)
    }
}
