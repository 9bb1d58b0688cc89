import Failures
import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct MetricsLogTests {
    private struct Line: Codable {
        var step: Int
    }

    private func steps(_ path: String) throws -> [Int] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8)).step
        }
    }

    @Test func `a resumed run cuts off the lines after its step and goes on`() throws {
        let path = try TemporaryDirectory()
        let file = path.file("metrics.jsonl")
        let first = try MetricsLog(path: file, MetricsLog.Start(step: 0))
        for step in [4, 8, 12] { try first.append(Line(step: step)) }
        let second = try MetricsLog(path: file, MetricsLog.Start(step: 8))
        try second.append(Line(step: 9))
        #expect(try steps(file) == [4, 8, 9])
    }

    @Test(arguments: [(true, 3), (false, 2)])
    func `an evaluation that is owed is cut off, that of an earlier step is not`(evaluated: Bool, lines: Int) throws {
        let directory = try TemporaryDirectory()
        let old = ["evaluation\",\"step\":4", "train\",\"step\":8", "evaluation\",\"step\":8"].map {
            "{\"kind\":\"\($0)}\n"
        }
        let file = try directory.write("metrics.jsonl", old.joined())
        _ = try MetricsLog(path: file, MetricsLog.Start(step: 8, owesEvaluation: !evaluated))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == old.prefix(lines).joined())
    }

    @Test func `a line that was not finished is cut off`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("metrics.jsonl", "{\"step\":4}\n{\"step\":8}\n{\"st")
        _ = try MetricsLog(path: file, MetricsLog.Start(step: 8))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "{\"step\":4}\n{\"step\":8}\n")
    }

    @Test func `a place that cannot be written is refused with its path`() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("nowhere/metrics.jsonl")
        let failure = #expect(throws: Failure.self) { try MetricsLog(path: file, MetricsLog.Start(step: 0)) }
        #expect(failure?.code == .cannotWrite)
        #expect(failure?.message.contains(directory.file("nowhere/")) == true)
    }
}
