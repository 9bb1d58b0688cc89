import Configuration
import Failures
import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct EventFileTests {
    /// A clock that advances by one second at each call, from 1700000000.25.
    private static func clock() -> () -> Double {
        var time = 1_699_999_999.25
        return {
            time += 1
            return time
        }
    }

    private static let training = TrainRecord(
        step: 310, loss: 2.5, learningRate: 3e-4, gradientNorm: 0.75, examples: 10, tokens: 20,
        tasks: [
            "ähnlich": TrainRecord.Task(loss: 1e-3, tokens: 5, examples: 3),
            "cola": TrainRecord.Task(loss: 0, tokens: 15, examples: 7),
        ],
        timing: TrainRecord.Timing(seconds: 1, examplesPerSecond: 1234.5678, tokensPerSecond: 98765.4321))

    private static let evaluation = EvaluationRecord(
        step: 1 << 33, split: "validation", average: 0.5625, averagedFigures: 3, averageOverTasks: 0.21875,
        tasks: [
            "mrpc": EvaluationRecord.Task(
                figures: ["f1": 0.25, "accuracy": 1], examples: 8, invalidAnswers: 0, undefined: []),
            "cola": EvaluationRecord.Task(
                figures: ["matthews": -0.125], examples: 8, invalidAnswers: 1, undefined: []),
        ],
        timing: EvaluationRecord.Timing(seconds: 1, examplesPerSecond: 16))

    private static let begun: [Event.Tagged] = [
        ("config.yaml", .text("    # Grüße\n    a: 1")),
        (
            "_hparams_/session_start_info",
            .begun([
                .init("method", .text("unolora")), .init("lora.rank", .number(8)), .init("lora.dropout", .number(0)),
                .init("data.dropDuplicates", .flag(false)), .init("lora.freezeA", .flag(true)),
            ])
        ),
    ]

    /// Numbers from -1 to 3, and numbers that are all 0.
    private static var histograms: [Event.Tagged] {
        let weights = (0..<101).map { Float(Double($0 * 37 % 101) / 25 - 1) }
        return [("A/encoderSelf.q", weights), ("B/encoderSelf.q", Array(repeating: 0, count: 12))].compactMap {
            (tag, values: [Float]) in
            values.withUnsafeBufferPointer { Histogram([$0]) }.map { (tag, .histogram($0)) }
        }
    }

    private func files(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    private static let ascending: [UInt8] = Array(0..<32)

    /// Appendix B.4 of RFC 3720, the algorithm's usual check value, and the empty sequence.
    private static let checksums: [([UInt8], UInt32)] = [
        ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
        ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
        (ascending, 0x46DD_794E),
        (ascending.reversed(), 0x113F_DB5C),
        (Array("123456789".utf8), 0xE306_9283),
        ([], 0),
    ]

    @Test(arguments: checksums)
    func `the checksum is that of RFC 3720`(bytes: [UInt8], expected: UInt32) {
        #expect(CRC32C.checksum(bytes) == expected)
    }

    @Test func `a file holds the very bytes that TensorBoard's own writer makes`() throws {
        let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Goldens/events.tfevents")
        // The file's name uses the first call of the clock.
        var looks = -1
        let clock = Self.clock()
        let directory = try TemporaryDirectory()
        let file = try EventFile(in: directory.path, after: 300, host: "node-7") {
            looks += 1
            return looks == 0 ? 1_700_000_000 : clock()
        }
        try file.append(Self.training)
        try file.append(Self.evaluation)
        try file.append(Self.begun + Self.histograms, step: 312)
        try file.append(Event.end, step: 400)
        let name = "events.out.tfevents.1700000000.node-7.unolora-dist"
        #expect(try files(directory.path) == [name])
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.file(name))) == Data(contentsOf: golden))
    }

    @Test func `what was appended is in the file before the next line`() throws {
        let directory = try TemporaryDirectory()
        let file = try EventFile(in: directory.path, after: 0)
        let path = directory.file(try files(directory.path)[0])
        let before = try Data(contentsOf: URL(fileURLWithPath: path)).count
        try file.append(Self.training)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count > before)
    }

    @Test func `a later start has a later name, whatever the clock and the host say`() throws {
        let directory = try TemporaryDirectory()
        for (step, host) in [(0, "z"), (4, "a"), (8, "m.cluster")] {
            _ = try EventFile(in: directory.path, after: step, host: host) { 1_700_000_000 - Double(step) }
        }
        #expect(
            try files(directory.path) == [
                "events.out.tfevents.1700000000.z.unolora-dist", "events.out.tfevents.1700000001.a.unolora-dist",
                "events.out.tfevents.1700000002.m.cluster.unolora-dist",
            ])
    }

    @Test func `a place that cannot be written is refused with its path`() throws {
        let directory = try TemporaryDirectory()
        let place = directory.file("nowhere")
        let failure = #expect(throws: Failure.self) { try EventFile(in: place, after: 0) }
        #expect(failure?.code == .cannotWrite)
        #expect(failure?.message.contains(place + "/events.out.tfevents.") == true)
        #expect(failure?.message.contains("No such file or directory") == true)
    }
}
