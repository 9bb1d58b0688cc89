import Foundation
import Tensors
import TestSupport
import Testing

extension ProgramTests {
    /// Runs with methods that are not low-rank ones, from the start to answers.
    @Suite struct OtherMethodCommandTests {
        private static let methods = ["hyperformer_pp", "full"]

        private struct Evaluation: Decodable {
            struct Task: Decodable, Equatable {
                var figures: [String: Double]
                var examples: Int
            }

            var step: Int
            var tasks: [String: Task]
        }

        private static func evaluation(_ text: some StringProtocol) throws -> Evaluation {
            let start = try #require(text.firstIndex(of: "{"))
            return try JSONDecoder().decode(Evaluation.self, from: Data(text[start...].utf8))
        }

        @Test(arguments: methods)
        func `a run trains, is evaluated and answers, on any number of ranks`(method: String) throws {
            let project = try TinyProject().copy(method: method)
            // Some answers are right by then, and the last step is evaluated on all examples, as `evaluate` does it.
            let longer = [
                "--set", "train.steps=160", "--set", "eval.every=80", "--set", "lr.peak=3e-3", "--set",
                "eval.maxExamples=null",
            ]
            let training = try Program.run(project.train(longer), ranks: 2)
            #expect(training.code == 0, "\(training.error)")
            let run = project.file("run")
            let resolved = try String(contentsOfFile: run + "/config.yaml", encoding: .utf8)
            #expect(resolved.contains("\nmethod: \(method)\n") && !resolved.contains("lora:"), "\(resolved)")
            let last = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
                .filter { $0.contains("\"kind\":\"evaluation\"") }.map(Self.evaluation).last
            for ranks in [nil, 2] {
                let result = try Program.run(["evaluate", run, "--checkpoint", "last"], ranks: ranks)
                #expect(result.code == 0, "\(result.error)")
                let evaluation = try Self.evaluation(result.output)
                #expect(evaluation.step == 160 && last?.step == 160)
                // The run's own last evaluation has the same answers.
                #expect(evaluation.tasks == last?.tasks)
                #expect(evaluation.tasks.values.contains { $0.figures.values.contains { $0 > 0 } })
                #expect(Set(evaluation.tasks.keys) == ["colour", "pair", "grade"])
            }
            let answers = try Program.run(command: [
                "sh", "-c", "printf 'ba ran\\nce sel\\n' | '\(Program.path)' predict '\(run)' --task colour",
            ])
            #expect(answers.code == 0, "\(answers.error)")
            #expect(answers.output.split(separator: "\n").count == 2, "\(answers.output)")
        }

        @Test(arguments: methods)
        func `a stop and a resume give the bits of the whole run, and so does a repetition`(method: String) throws {
            let project = try TinyProject().copy(method: method)
            func train(_ out: String, _ arguments: [String] = [], ranks: Int? = nil, code: Int32 = 0) throws {
                let result = try Program.run(
                    ["train", "--config", project.configuration, "--out", project.file(out)] + arguments, ranks: ranks)
                #expect(result.code == code, "\(result.error)")
            }
            try train("whole")
            try train("parts", ["--stop-after", "7"], ranks: 2, code: 85)
            try train("parts")
            #expect(try Outcome(run: project.file("whole")) == Outcome(run: project.file("parts")))
            let again = try Program.run(["reproduce", project.file("parts")], ranks: 2)
            #expect(again.code == 0 && again.output.contains("step 12: the same bits"), "\(again)")
        }

        /// The norm of the difference of the weights in two directories, relative to the norm of the first ones.
        private static func difference(_ first: String, _ second: String) throws -> Double {
            func weights(_ directory: String) throws -> SafetensorsFile {
                let names = try FileManager.default.contentsOfDirectory(atPath: directory)
                let name = try #require(names.first { $0.hasSuffix(".safetensors") })
                return try SafetensorsFile(path: directory + "/" + name)
            }
            let (first, second) = (try weights(first), try weights(second))
            #expect(first.tensors.map(\.name) == second.tensors.map(\.name) && !first.tensors.isEmpty)
            func square(_ x: Float) -> Double { Double(x) * Double(x) }
            var (difference, norm) = (0.0, 0.0)
            for tensor in first.tensors {
                let values = try first.readFloats(named: tensor.name)
                let others = try second.readFloats(named: tensor.name)
                difference += zip(values, others).reduce(0) { $0 + square($1.0 - $1.1) }
                norm += values.reduce(0) { $0 + square($1) }
            }
            return (difference / norm).squareRoot()
        }

        @Test(arguments: methods)
        func `a fast reduction trains as the exact one does but for rounding`(method: String) throws {
            let project = try TinyProject().copy(method: method)
            func train(_ out: String, _ reduction: String, _ ranks: Int?, steps: Int = 20) throws -> String {
                let result = try Program.run(
                    [
                        "train", "--config", project.configuration, "--out", project.file(out), "--set",
                        "train.steps=\(steps)", "--set", "eval.every=null", "--set", "eval.atEnd=false", "--set",
                        "batch.micro=2", "--set", "lr.peak=3e-4", "--set", "parallel.reduction=\(reduction)",
                    ], ranks: ranks)
                #expect(result.code == 0, "\(result.error)")
                return project.file(out) + "/checkpoints/last/adapter"
            }
            let exact = try train("exact", "exact", nil)
            let start = try train("start", "exact", nil, steps: 10)
            #expect(try Self.difference(exact, start) > 1e-3)
            for ranks in [nil, 2, 3] {
                let fast = try train("fast-\(ranks ?? 0)", "fast", ranks)
                let difference = try Self.difference(exact, fast)
                #expect(difference < 1e-5 && (ranks == nil || difference > 0), "\(difference) with \(ranks ?? 1) ranks")
            }
        }

        /// The adapter of `full` is the whole model, whose tensors have the names of the model's file.
        @Test func `the adapter of full fine-tuning has the tensors of the model`() throws {
            let project = try TinyProject().copy(method: "full")
            let training = try Program.run(project.train(["--set", "train.steps=3", "--set", "eval.every=null"]))
            #expect(training.code == 0, "\(training.error)")
            let model = try RawSafetensors(project.file("model/model.safetensors"))
            let adapter = try RawSafetensors(project.file("run/checkpoints/last/adapter/model.safetensors"))
            let names = Set(model.header.keys).subtracting(["__metadata__"])
            #expect(Set(adapter.header.keys).subtracting(["__metadata__"]) == names && names.count > 20)
        }

        @Test(arguments: methods)
        func
            `keys of low-rank methods do nothing in a file for several methods, and are refused in one sentence elsewhere`(
                method: String
            ) throws
        {
            let project = try TinyProject()
            let result = try Program.run(project.train(["--set", "method=\(method)"]))
            // The file is for several methods, which is said; a key that is given beside the method is refused.
            #expect(result.code == 0, "\(result.error)")
            #expect(result.output.contains("lora.rank has no effect with method \(method)"), "\(result.output)")
            let refused = try Program.run(project.train(["--set", "method=\(method)", "--set", "lora.rank=4"]))
            #expect(refused.code == 78 && refused.sentences.count == 1, "\(refused.error)")
            #expect(refused.error.contains("lora.rank has no meaning for method \(method)"), "\(refused.error)")
        }

        @Test func `a reduction that is wider than the model is refused in one sentence`() throws {
            let project = try TinyProject().copy(method: "hyperformer_pp")
            let result = try Program.run(project.train(["--set", "hyperformer.reduction=33"]))
            #expect(result.code == 78 && result.sentences.count == 1, "\(result.error)")
            #expect(result.error.contains("hyperformer.reduction is 33, but must be from 1 to 32"), "\(result.error)")
        }

        @Test func `an evaluation with another reduction is refused`() throws {
            let project = try TinyProject().copy(method: "hyperformer_pp")
            let training = try Program.run(project.train(["--set", "train.steps=3"]))
            #expect(training.code == 0, "\(training.error)")
            let other = try Program.run(project.train(["--set", "train.steps=3", "--set", "hyperformer.reduction=4"]))
            #expect(other.code == 78 && other.error.contains("hyperformer.reduction was 8 and is 4"), "\(other.error)")
        }
    }
}
