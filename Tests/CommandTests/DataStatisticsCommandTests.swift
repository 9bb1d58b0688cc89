import Foundation
import Tasks
import TestSupport
import Testing

extension ProgramTests {
    /// The figures of the data, as `prepare` prints them and as a run keeps them.
    @Suite struct DataStatisticsCommandTests {
        /// The tiny project with texts that occur twice: three rows of its first task in training, and one in validation.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let path = project.file("colour/train.tsv")
            let rows = try String(contentsOfFile: path, encoding: .utf8)
            let first = try #require(rows.split(separator: "\n").dropFirst().first)
            let text = try #require(first.split(separator: "\t").first)
            try project.write("colour/train.tsv", rows + "\(first)\n\(first)\n\(text)\tb\n")
            let validation = try String(contentsOfFile: project.file("colour/validation.tsv"), encoding: .utf8)
            try project.write("colour/validation.tsv", validation + "\(text)\tr\n")
            return project
        }

        private static func prepare(_ project: TinyProject, _ more: [String], ranks: Int? = nil) throws
            -> Program.Result
        {
            try Program.run(
                ["prepare", "--config", project.configuration, "--out", project.file("prepared")] + more, ranks: ranks)
        }

        @Test func `prepare --json prints one document, and all else on standard error`() throws {
            let project = try Self.shared.get()
            for (name, ranks) in [("alone", nil), ("ranks", 2)] as [(String, Int?)] {
                let result = try Self.prepare(project, ["--json"], ranks: ranks)
                #expect(result.code == 0, "\(name): \(result.error)")
                #expect(
                    result.error.contains("token cache: \(project.file("prepared"))/cache/tokens-"), "\(result.error)")
                let statistics = try JSONDecoder().decode(DataStatistics.self, from: Data(result.output.utf8))
                #expect(statistics.maxSource == 128 && statistics.tasks.map(\.task) == ["colour", "pair", "grade"])
                let colour = statistics.tasks[0].splits
                #expect(colour.map(\.examples) == [123, 31, 30])
                // A third of the first 120 rows is red, and two of those that were added.
                #expect(
                    colour[0].labels?.map(\.count) == [42, 81] && colour[0].labels?.map(\.answer) == ["red", "blue"])
                #expect(colour[0].repeated.count == 3 && colour[0].repeated.otherAnswer == 4)
                #expect(colour[1].equalText.map { [$0.count, $0.otherAnswer] } == [[1, 1]])
                let grade = statistics.tasks[2].splits
                #expect(grade.map(\.examples) == [54, 16] && grade[0].scores?.maximum == 5 && grade[0].labels == nil)
            }
        }

        @Test func `prepare prints tables and what they do not have`() throws {
            let result = try Self.prepare(Self.shared.get(), [])
            #expect(result.code == 0 && result.error.isEmpty, "\(result.error)")
            let tables = result.output.components(separatedBy: "\n\n")
            #expect(tables.count == 5, "\(result.output)")
            #expect(tables[1].contains(#/\ntask +split +examples +tokens +mean/#), "\(result.output)")
            #expect(
                tables[2].contains(#/\ncolour +train +\d+ +\d\.\d\d +\d +3 \(4\)\n +validation .* 1 \(1\)\n/#),
                "\(tables[2])")
            #expect(tables[3].contains(#/\ncolour +r +red +42 \(34\.1 %\)/#), "\(tables[3])")
            #expect(
                tables[4].hasPrefix("pair: train: 1.8 % of the characters unknown to the vocabulary"), "\(tables[4])")
        }

        @Test func `train prints two lines a task at most, and keeps in data.json what prepare prints`() throws {
            let project = try Self.shared.get()
            let expected = try Self.prepare(project, ["--json"]).output
            func kept() throws -> String {
                try String(contentsOfFile: project.file("run/data.json"), encoding: .utf8) + "\n"
            }
            let first = try Program.run(project.train(["--stop-after", "2"]), ranks: 3)
            #expect(first.code == 85, "\(first.error)")
            #expect(try kept() == expected)
            let lines = first.output.split(separator: "\n").filter { $0.hasPrefix("data: ") }
            // The small vocabulary lacks some characters of the other two tasks.
            #expect(lines.count == 6, "\(first.output)")
            #expect(lines[0].hasPrefix("data: colour: 123 train, 31 validation, 30 test examples; train sources: "))
            #expect(lines[0].hasSuffix("; train answers: r 34.1 %, b 65.9 %"), "\(lines[0])")
            #expect(
                lines[1].hasPrefix(
                    "data: colour: 3 train examples repeat the text of an earlier one (4 have a text with several answers), "
                ))
            #expect(
                lines[1].hasSuffix(
                    ", 1 validation examples have a text that is also in train (1 with another answer there)"))
            // A resume with other ranks, also where the file was lost.
            try FileManager.default.removeItem(atPath: project.file("run/data.json"))
            let second = try Program.run(project.train(["--stop-after", "3"]))
            #expect(second.code == 85, "\(second.error)")
            #expect(try kept() == expected)
            let environment = try String(contentsOfFile: project.file("run/environment.json"), encoding: .utf8)
            #expect(!environment.contains("\"splits\""), "what is in data.json is not there, too")
        }

        @Test func `rows that are dropped are named at the start and in the figures`() throws {
            let project = try Self.shared.get()
            let result = try Self.prepare(project, ["--json", "--set", "data.dropDuplicates=true"])
            let colour = try JSONDecoder().decode(DataStatistics.self, from: Data(result.output.utf8)).tasks[0]
            #expect(colour.dropped.count == 4 && colour.dropped.first == "train.tsv:2")
            #expect(colour.dropped.equalText.map { [$0.count, $0.otherAnswer] } == [[4, 1], [0, 0]])
            #expect(colour.splits[0].examples == 119 && colour.splits[1].equalText.map(\.count) == [0])
            let text = try Self.prepare(project, ["--set", "data.dropDuplicates=true"]).output
            #expect(
                text.contains(
                    "colour: 4 duplicates dropped from train (the first is train.tsv:2): 4 of validation (1 with another "
                        + "answer there)"), "\(text)")
        }

        @Test func `a file that cannot be read is refused as before, with --json as without`() throws {
            let project = try Self.shared.get().copy()
            try FileManager.default.removeItem(atPath: project.file("colour/test.tsv"))
            for arguments in [[], ["--json"]] {
                let result = try Self.prepare(project, arguments)
                #expect(result.code == 66 && result.output.isEmpty && result.sentences.count == 1, "\(result)")
                #expect(result.error.contains("colour/test.tsv"), "\(result.error)")
            }
        }
    }
}
