import Foundation
import Tensors
import TestSupport
import Testing

@testable import Runs

extension ProgramTests {
    /// Runs that measure how the gradients of their tasks go together, or project those that conflict.
    @Suite struct InterferenceCommandTests {
        private static let shared = Swift.Result { try TinyProject() }

        private static func settings(_ values: [String]) -> [String] { values.flatMap { ["--set", $0] } }

        private static func train(
            _ project: TinyProject, _ values: [String], _ more: [String] = [], ranks: Int? = nil
        ) throws -> Program.Result {
            try Program.run(project.train(settings(values) + more), ranks: ranks)
        }

        private static func records(_ project: TinyProject) throws -> [InterferenceRecord] {
            try String(contentsOfFile: project.file("run/metrics.jsonl"), encoding: .utf8).split(separator: "\n")
                .compactMap { try? JSONDecoder().decode(InterferenceRecord.self, from: Data($0.utf8)) }
                .filter { $0.kind == "interference" }
        }

        @Test(arguments: [
            ["sampler.granularity=batch"], ["sampler.granularity=microBatch"], ["sampler.granularity=example"],
            ["sampler.granularity=example", "train.conflict=pcgrad"],
            ["sampler.granularity=microBatch", "train.conflict=pcgrad", "method=unolora"],
        ])
        func `a run that is interrupted on other ranks measures and trains the same`(settings: [String]) throws {
            let (whole, broken) = try (Self.shared.get().copy(), Self.shared.get().copy())
            let values = settings + ["log.interferenceEvery=3"]
            #expect(try Self.train(whole, values).code == 0)
            for (stop, ranks) in [("4", 2), ("6", 1), ("9", 3)] {
                let part = try Self.train(broken, values, ["--stop-after", stop], ranks: ranks)
                #expect(part.code == 85, "\(part.error)")
            }
            #expect(try Self.train(broken, values, ranks: 2).code == 0)
            #expect(try Outcome(run: broken.file("run")) == Outcome(run: whole.file("run")))
            let records = try Self.records(whole)
            #expect(records.map(\.step) == [3, 6, 9, 12])
            #expect(records.allSatisfy { $0.tasks == ["colour", "pair", "grade"] })
            let known = records.flatMap { record in record.cosines.indices.map { record.cosine($0, ($0 + 1) % 3) } }
            #expect(known.contains { $0 != nil } && known.allSatisfy { ($0 ?? 0).magnitude < 1 })
        }

        @Test func `training has the same bits without it, and a run may begin or cease to measure`() throws {
            let (with, without, changing) = try (
                Self.shared.get().copy(), Self.shared.get().copy(), Self.shared.get().copy()
            )
            let batch = "sampler.granularity=batch"
            #expect(try Self.train(with, [batch, "log.interferenceEvery=2"]).code == 0)
            #expect(try Self.train(without, [batch, "log.interferenceEvery=null"]).code == 0)
            for (stop, every) in [("4", "null"), ("8", "2"), ("12", "null")] {
                let part = try Self.train(
                    changing, [batch, "log.interferenceEvery=\(every)"], stop == "12" ? [] : ["--stop-after", stop])
                #expect(part.code == (stop == "12" ? 0 : 85), "\(part.error)")
            }
            let expected = try Outcome(run: without.file("run"))
            for project in [with, changing] {
                var outcome = try Outcome(run: project.file("run"))
                outcome.metrics.removeAll { $0.contains("\"kind\":\"interference\"") }
                #expect(outcome == expected)
            }
            #expect(try Self.records(changing).map(\.step) == [6, 8])
            #expect(try Self.records(without).isEmpty)
            let averages = "checkpoints/last/interference.safetensors"
            let file = try SafetensorsFile(path: with.file("run/" + averages))
            #expect(Set(file.tensors.map(\.name)).isSubset(of: ["colour", "pair", "grade"]))
            for project in [without, changing] {
                #expect(!FileManager.default.fileExists(atPath: project.file("run/" + averages)))
            }
        }

        /// With one task in a step, the averages are in the snapshot's file too.
        @Test func `a run whose processes are all killed goes on measuring the same`() throws {
            let (whole, broken) = try (Self.shared.get().copy(), Self.shared.get().copy())
            let values = [
                "sampler.granularity=batch", "log.interferenceEvery=20", "train.steps=1200", "log.every=1",
                "checkpoint.every=null", "eval.every=null", "checkpoint.snapshot=file",
            ]
            #expect(try Self.train(whole, values).code == 0)
            let running = try RunningProgram(
                command: try broken.tellingPids() + broken.train(Self.settings(values)), ranks: 2)
            running.wait { broken.loggedSteps >= 30 }
            for rank in 0..<2 { #expect(kill(try broken.pid(rank: rank), SIGKILL) == 0) }
            _ = try running.wait()
            let again = try Self.train(broken, values)
            #expect(again.code == 0 && again.output.contains("from the snapshot of a job"), "\(again)")
            #expect(try Outcome(run: broken.file("run")) == Outcome(run: whole.file("run")))
        }

        @Test(arguments: [
            (["sampler.granularity=batch"], "needs several tasks in a step"),
            (["parallel.reduction=fast"], "sums the gradients of each task exactly; use parallel.reduction exact"),
            (["method=lora_per_task"], "nothing to project with method lora_per_task"),
        ])
        func `a projection that has no meaning is refused`(settings: [String], sentence: String) throws {
            let project = try Self.shared.get()
            let result = try Program.run(
                ["plan", "--config", project.configuration] + Self.settings(settings + ["train.conflict=pcgrad"]))
            #expect(result.code == 78 && result.sentences.count == 1 && result.error.contains(sentence), "\(result)")
        }
    }
}
