import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The curves that `train` writes for TensorBoard.
    @Suite struct EventFileCommandTests {
        private static func files(_ run: String) throws -> [EventFileReader] {
            try FileManager.default.contentsOfDirectory(atPath: run).filter { $0.hasPrefix("events.out.tfevents.") }
                .sorted().map { try EventFileReader(path: run + "/" + $0) }
        }

        /// The expected points for the lines of `metrics.jsonl`.
        private static func expected(_ run: String) throws -> [EventFileReader.Point] {
            try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n").flatMap { line in
                let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                let step = try #require(object["step"] as? Int)
                let tasks = try #require(object["tasks"] as? [String: [String: Any]]).sorted { $0.key < $1.key }
                var values: [(String, Any?)] = []
                if object["kind"] as? String == "evaluation" {
                    // Figures of a few examples per task have a curve of their own.
                    let split =
                        "\(try #require(object["split"] as? String))-\(try #require(object["maxExamples"] as? Int))"
                    values = ["average", "averageOverTasks"].map { ("\(split)/\($0)", object[$0]) }
                    for (task, result) in tasks {
                        let figures = try #require(result["figures"] as? [String: Any]).sorted { $0.key < $1.key }
                        values += figures.map { ("\(split)/\(task)/\($0.key)", $0.value) }
                    }
                } else {
                    let timing = try #require(object["timing"] as? [String: Any])
                    values = [("loss", object["loss"])] + tasks.map { ("loss/" + $0.key, $0.value["loss"]) }
                    values += ["learningRate", "gradientNorm"].map { ($0, object[$0]) }
                    values += ["examplesPerSecond", "tokensPerSecond"].map { ($0, timing[$0]) }
                }
                return try values.map { tag, value in
                    let number = try #require(value as? NSNumber, "\(tag) at step \(step)")
                    return EventFileReader.Point(tag: tag, step: step, value: Float(number.doubleValue))
                }
            }
        }

        @Test func `the curves hold what the metrics hold, over a stop and a resume`() throws {
            let project = try TinyProject()
            let run = project.file("run")
            #expect(try Program.run(project.train(["--stop-after", "6"])).code == 85)
            #expect(try Program.run(project.train(), ranks: 2).code == 0)
            let files = try Self.files(run)
            #expect(files.map(\.version) == ["brain.Event:2", "brain.Event:2"])
            #expect(files.map(\.starts) == [[1], [7]])
            let points = files.flatMap(\.points)
            #expect(try points == Self.expected(run))
            #expect(Set(points.map(\.step)) == [4, 8, 12])
            #expect(points.count { $0.tag == "loss" } == 3)
            #expect(points.count { $0.tag == "validation-8/grade/spearman" } == 2)
        }

        @Test func `a run without curves has no file for them`() throws {
            let project = try TinyProject()
            let arguments = ["--set", "train.steps=2", "--set", "log.tensorBoard=false"]
            #expect(try Program.run(project.train(arguments)).code == 0)
            #expect(try Self.files(project.file("run")).isEmpty)
        }
    }
}
