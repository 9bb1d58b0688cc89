import Failures
import Foundation
import Tasks
import TestSupport
import Testing

@testable import Runs

/// Where files of figures go, and what they never replace.
@Suite struct EvaluationFileTests {
    private let directory: TemporaryDirectory
    private let run: RunDirectory
    private static let basis = "0123456789abcdef0123456789abcdef"

    init() throws {
        directory = try TemporaryDirectory()
        run = RunDirectory(directory.file("run"))
        try run.create()
    }

    private func record(_ basis: String = basis) -> EvaluationRecord {
        let scores = TaskScores(figures: [.init(metric: .accuracy, value: 0.5)], examples: 8, invalidAnswers: 0)
        var record = EvaluationRecord([EvaluatedTask(name: "t", scores: scores)], step: 3, split: "test", seconds: 1)
        record.basis = basis
        return record
    }

    private func write(_ marks: [String] = [], basis: String = basis) throws -> String {
        let plain = EvaluationFile.path(run, .test, step: 3)
        return try EvaluationFile(record(basis)).write(beside: plain, marks: marks, in: run)
            .replacing(run.path + "/", with: "")
    }

    @Test func `the run's own figures have the plain name, and others one that says what differs`() throws {
        #expect(try write() == "evaluation-test-3.json")
        #expect(try write(["own tasks", "200-examples"]) == "evaluation-test-3-own-tasks-200-examples-01234567.json")
        // The same figures again.
        #expect(try write() == "evaluation-test-3.json")
        #expect(try write(basis: "fedcba9876543210") == "evaluation-test-3-fedcba98.json")
    }

    @Test(arguments: [
        "", "mine", "{\"basis\": \"0123", "{\"figures\": 1}", "[1]", "{\"basis\": 7}", "{\"basis\": \"other\"}",
        String(repeating: "[", count: 10_000), "\u{0}\u{1}",
    ])
    func `a file with other figures, of others or that cannot be read is never replaced`(content: String) throws {
        let names = [
            "evaluation-test-3.json", "evaluation-test-3-01234567.json", "evaluation-test-3-\(Self.basis).json",
            "evaluation-test-3-\(Self.basis)-2.json",
        ]
        for (count, name) in names.enumerated() {
            #expect(try write() == name)
            // What was written there becomes the file of somebody else.
            try directory.write("run/\(name)", content)
            for other in names[...count] {
                #expect(try String(contentsOfFile: directory.file("run/\(other)"), encoding: .utf8) == content)
            }
        }
        #expect(try write() == "evaluation-test-3-\(Self.basis)-3.json")
    }

    @Test func `a directory and a link in the place are left alone`() throws {
        try FileManager.default.createDirectory(
            atPath: directory.file("run/evaluation-test-3.json"), withIntermediateDirectories: false)
        let target = try directory.write("target.json", "{\"basis\": \"\(Self.basis)\"}")
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("run/evaluation-test-3-01234567.json"), withDestinationPath: target)
        #expect(try write() == "evaluation-test-3-\(Self.basis).json")
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "{\"basis\": \"\(Self.basis)\"}")
    }
}
