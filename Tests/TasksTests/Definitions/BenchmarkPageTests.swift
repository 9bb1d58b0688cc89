import Foundation
import TestSupport
import Testing

@testable import Tasks

/// The tables of `docs/glue.md`, which are made from the definitions.
@Suite struct BenchmarkPageTests {
    private let page = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/glue.md")
    private let glue: GLUEFixture
    private let superglue: TemporaryDirectory

    init() throws {
        glue = try GLUEFixture()
        // The published download has this file; what is in it does not matter here.
        try glue.directory.write(
            "MNLI/dev_mismatched.tsv", GLUEFixture.mnli("label1") + GLUEFixture.mnliRow(7, "x\tentailment"))
        superglue = try TemporaryDirectory()
        try SuperGLUETests.write(to: superglue)
    }

    @Test func `the tables of docs/glue.md are those of the definitions`() throws {
        var text = try String(contentsOf: page, encoding: .utf8)
        for (name, table) in try tables() {
            let (begin, end) = ("<!-- \(name): made by BenchmarkPageTests -->\n", "<!-- end of \(name) -->")
            let start = try #require(text.range(of: begin)?.upperBound, "docs/glue.md has no place for \(name)")
            let stop = try #require(text.range(of: end)?.lowerBound, "docs/glue.md has no end of \(name)")
            if ProcessInfo.processInfo.environment["UNOLORA_WRITE_DOCS"] == "1" {
                text.replaceSubrange(start..<stop, with: table)
                try text.write(to: page, atomically: true, encoding: .utf8)
            } else {
                #expect(
                    text[start..<stop] == table,
                    "write them again: UNOLORA_WRITE_DOCS=1 and --filter BenchmarkPageTests")
            }
        }
    }

    private func tables() throws -> [(name: String, text: String)] {
        func tasks(_ style: LabelStyle = .digits, _ rule: SplitRule = .paper) throws -> [TaskDefinition] {
            try GLUE.tasks(directory: glue.path, style: style, splits: rule)
                + SuperGLUE.names.map { try SuperGLUE.task($0, directory: superglue.path, style: style, splits: rule) }
        }
        let (digits, words) = (try tasks(), try tasks(.words))
        let (paper, dev) = (digits, try tasks(.digits, .dev))
        return [
            ("files", table(["task", "directory", "files and their rows", "texts", "label"], digits.map(Self.files))),
            (
                "answers",
                table(
                    ["task", "labels of the files, as digits, as words", "positive", "figures"],
                    zip(digits, words).map(Self.answers))
            ),
            ("examples", "```\n" + (try digits.map(Self.example)).joined(separator: "\n") + "\n```\n"),
            (
                "splits",
                table(
                    ["task", "paper: train", "validation", "test", "dev: train", "validation"],
                    try zip(paper, dev).map { paper, dev in
                        try [paper.name] + ["train", "validation", "test"].map { try Self.rows(paper, $0) }
                            + ["train", "validation"].map { try Self.rows(dev, $0) }
                    })
            ),
        ]
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    private static func files(_ task: TaskDefinition) -> [String] {
        func name(_ column: Column) -> String {
            switch column {
            case .named(let name): "`\(name)`"
            case .index(let index): "column \(index)"
            }
        }
        let folder = task.paths[0].split(separator: "/").dropLast().last ?? ""
        let fields = task.fields.map { field in
            field.column == .named(field.name) ? "`\(field.name)`" : "`\(field.name)` from \(name(field.column))"
        }
        return [
            "`\(task.name)`", "`\(folder)`",
            task.publishedFiles.map { "`\($0.file)` \(grouped($0.rows))" }.joined(separator: ", "),
            fields.joined(separator: ", "), name(task.label),
        ]
    }

    private static func answers(_ digits: TaskDefinition, _ words: TaskDefinition) -> [String] {
        let labels: String
        switch (digits.answers, words.answers) {
        case (.classes(let first), .classes(let second)):
            labels = zip(digits.labelNames, zip(first, second)).map { "`\($0)`: `\($1.0)`, `\($1.1)`" }.joined(
                separator: "; ")
        default: labels = "scores 0 to 5, written in steps of 0.2"
        }
        return [
            "`\(digits.name)`", labels, digits.positiveClass.map { "`\($0.label)`" } ?? "",
            digits.metrics.map(\.rawValue).joined(separator: ", "),
        ]
    }

    private static func example(_ task: TaskDefinition) throws -> String {
        let example = try TaskExamples(task).example(.train, 0)
        return "\(example.source) -> \(example.target)"
    }

    /// The number of rows that a split has with the published files.
    private static func rows(_ task: TaskDefinition, _ name: String) throws -> String {
        func published(_ paths: [String]) -> Int {
            paths.reduce(0) { sum, path in
                // Three rows of QQP's training file are incomplete and left out.
                sum + (task.publishedRows(of: String(path.split(separator: "/").last ?? "")) ?? 0)
                    - (task.name == "qqp" && path.hasSuffix("train.tsv") ? 3 : 0)
            }
        }
        let split = try #require(task.split(SplitName(rawValue: name)))
        let held = task.splits.reduce(0) { sum, split in
            if case .heldOutOfTraining(let count) = split.source { sum + count } else { sum }
        }
        let count =
            switch split.source {
            case .files(let paths): published(paths) - (name == "train" ? held : 0)
            case .firstHalf(let paths): published(paths) / 2
            case .secondHalf(let paths): published(paths) - published(paths) / 2
            case .heldOutOfTraining(let count): count
            }
        let isHalf: Bool
        switch split.source {
        case .firstHalf, .secondHalf: isHalf = true
        case .files, .heldOutOfTraining: isHalf = false
        }
        // Whole groups of rows do not give halves of equal size.
        return (isHalf && task.group != nil ? "about " : "") + grouped(count) + (split.label.map { " (\($0))" } ?? "")
    }

    private static func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        return digits.indices.map { (digits.count - $0) % 3 == 0 && $0 > 0 ? ",\(digits[$0])" : "\(digits[$0])" }
            .joined()
    }
}
