import Foundation
import Kernels
import Testing

extension ProgramTests {
    /// `unolora-bench`: every command on a tiny model.
    @Suite struct BenchmarkCommandTests {
        private let project: TinyProject

        init() throws {
            project = try TinyProject()
            try project.write("lengths.json", "[[9, 3], [12, 2], [7, 3], [20, 2], [5, 3], [11, 2]]")
        }

        private func run(_ arguments: [String], ranks: Int? = nil) throws -> Program.Result {
            try Program.run(command: [Program.benchmarks] + arguments, ranks: ranks, directory: project.path)
        }

        /// The JSON object that a command prints.
        private func report(_ arguments: [String], ranks: Int? = nil) throws -> [String: Any] {
            let result = try run(arguments, ranks: ranks)
            #expect(result.code == 0, "\(result.error)")
            let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
            let report = try #require(object as? [String: Any], "\(result.output)")
            #expect(report["benchmark"] as? String == arguments[0])
            return report
        }

        /// The median of a spread, whose numbers must be in order.
        private func median(_ value: Any?) throws -> Double {
            let spread = try #require(value as? [String: Double])
            let (least, median, most) = try (
                #require(spread["minimum"]), #require(spread["median"]), #require(spread["maximum"])
            )
            #expect(least > 0 && least <= median && median <= most)
            return median
        }

        private static let steps = ["--lengths", "lengths.json", "--steps", "2", "--batch", "8"]

        @Test(arguments: [nil, 2]) func `step times whole steps and their products`(ranks: Int?) throws {
            let report = try report(["step", "--model", "model"] + Self.steps + ["--threads", "1"], ranks: ranks)
            for name in ["stepSeconds", "gemmSeconds"] { _ = try median(report[name]) }
            #expect(report["ranks"] as? Int == ranks ?? 1)
        }

        private static let methods =
            ["unolora", "unolora_star", "lora_per_task", "hyperformer_pp", "full"].map { [$0] } + [
                ["unolora", "--freeze", "A"], ["unolora_star", "--freeze", "A", "--freeze", "hypernetwork"],
                ["unolora_star", "--freeze", "A", "--freeze", "B", "--freeze", "oldTasks"],
            ]

        /// The same lengths are repeated, so that after two steps the largest micro-batch has occurred.
        @Test(arguments: methods, [1, 2])
        func `a step allocates nothing after the first`(method: [String], threads: Int) throws {
            try project.write("same.json", "[[9, 3]]")
            let report = try report(
                [
                    "step", "--model", "model", "--lengths", "same.json", "--steps", "20", "--batch", "8", "--micro",
                    "2",
                    "--gemm", "openblas", "--threads", "\(threads)", "--method",
                ] + method)
            #expect(report["allocationsPerStep"] as? Double == 0)
        }

        @Test(arguments: ["bf16x3", "bfloat16", "int8"])
        func `a step on tiles allocates nothing after the first`(products: String) throws {
            try project.write("same.json", "[[9, 3]]")
            let report = try report([
                "step", "--model", "model", "--lengths", "same.json", "--steps", "20", "--batch", "8", "--micro", "2",
                "--gemm", "tiles", "--products", products, "--threads", "2",
            ])
            #expect(report["allocationsPerStep"] as? Double == 0)
            #expect((report["gemm"] as? String)?.hasPrefix("tiles (") == true)
            #expect(report["precision"] as? String == "\(products)/\(products)")
        }

        @Test(arguments: ["set -- \"$@\" --rank 4", "export UNOLORA_VECTORS=plain"])
        func `ranks with other options or loops are refused`(other: String) throws {
            let script = "shift; if [ $rank = 1 ]; then \(other); fi; exec '\(Program.benchmarks)' \"$@\"\n"
            let result = try Program.run(
                command: project.perRank(script) + ["step", "--model", "model", "--threads", "1"] + Self.steps,
                ranks: 2,
                directory: project.path)
            let isSame = KernelBuild.loops == "plain" && other.contains("UNOLORA")
            #expect(result.code == (isSame ? 0 : 87), "\(result)")
        }

        @Test(arguments: [nil, 2]) func `reduce times the parts of the sum`(ranks: Int?) throws {
            let report = try report(
                ["reduce", "--model", "model", "--method", "unolora_star"] + Self.steps, ranks: ranks)
            let parts = try ["pack", "allReduce", "unpack"].map {
                try median(report["\($0)Seconds"])
            }
            let sum = try median(report["reductionSeconds"])
            #expect(try parts.allSatisfy { $0 <= sum } && sum < median(report["stepSeconds"]) * 100)
            let (trainables, bytes) = try (
                #require(report["trainables"] as? Int), #require(report["bytes"] as? Int)
            )
            #expect(bytes > 8 * trainables)
            let frozen = try self.report(
                ["reduce", "--model", "model", "--method", "unolora_star", "--freeze", "A"] + Self.steps, ranks: ranks)
            let left = try #require(frozen["trainables"] as? Int)
            #expect(left < trainables && frozen["bytes"] as? Int == bytes - 8 * (trainables - left))
        }

        @Test func `kernels rates every shape of a product and the loops`() throws {
            let report = try report(["kernels", "--model", "model", "--rows", "8,3", "--repeats", "2"])
            let products = try #require(report["products"] as? [[String: Any]])
            #expect(Set(products.compactMap { $0["rows"] as? Int }) == [3, 8])
            #expect(Set(products.compactMap { $0["direction"] as? String }) == ["forward", "inputGradient"])
            for product in products { _ = try median(product["gigaflopsPerSecond"]) }
            let elements = try #require(report["elements"] as? [[String: Any]])
            #expect(Set(elements.compactMap { $0["kernel"] as? String }).count == elements.count)
            for element in elements { _ = try median(element["nanosecondsPerElement"]) }
        }

        @Test func `kernels takes the rows of micro-batches`() throws {
            let report = try report([
                "kernels", "--model", "model", "--lengths", "lengths.json", "--micro", "3", "--repeats", "1",
            ])
            let products = try #require(report["products"] as? [[String: Any]])
            #expect(Set(products.compactMap { $0["rows"] as? Int }) == [28, 36, 7, 8])
        }

        @Test(arguments: [nil, 2]) func `generate answers random tokens`(ranks: Int?) throws {
            let report = try report(
                ["generate", "--model", "model", "--lengths", "lengths.json", "--repeats", "2", "--batch", "8"],
                ranks: ranks)
            #expect(report["examples"] as? Int == 6)
            _ = try median(report["ratio"])
            #expect(try (1...3).contains(#require(report["answerTokens"] as? Double)))
        }

        @Test func `generate answers the texts of a configuration`() throws {
            let report = try report(
                ["generate", "--model", "model", "--config", "run.yaml", "--examples", "10", "--repeats", "1"])
            #expect(report["examples"] as? Int == 30)
            _ = try median(report["ratio"])
        }

        @Test func `tokenise counts the texts of all splits`() throws {
            let report = try report(["tokenise", "--config", "run.yaml", "--threads", "2", "--repeats", "1"])
            #expect(report["texts"] as? Int == 120 + 30 + 30 + 100 + 70)
            for name in [
                "readSeconds", "tokeniseSeconds", "textsPerSecondPerCore", "textsPerProcessorSecond", "openSeconds",
            ] {
                _ = try median(report[name])
            }
        }

        @Test func `startup has the parts of a start`() throws {
            let report = try report(["startup", "--config", "run.yaml", "--repeats", "1", "--set", "lora.rank=2"])
            let parts = try #require(report["parts"] as? [String: [String: Double]])
            #expect(
                Set(parts.keys) == [
                    "process", "mpi", "configuration", "vocabulary", "weights", "model", "data", "state",
                ])
            let sum = parts.values.reduce(0) { $0 + ($1["median"] ?? 0) }
            #expect(try abs(sum - median(report["seconds"])) < 1e-6)
            // It leaves nothing behind.
            #expect(!FileManager.default.fileExists(atPath: project.file("runs")))
        }

        private static let refused: [([String], Int32, String)] = [
            (["step", "--model", "nowhere"] + steps, 66, "nowhere"),
            (["reduce", "--model", "model", "--method", "lora"] + steps, 64, "--method lora"),
            (["reduce", "--model", "model", "--lengths", "nowhere"], 66, "--lengths"),
            (["step", "--model", "model", "--lengths", "run.yaml"], 65, "run.yaml"),
            (["step", "--model", "model", "--steps", "0"], 64, "--lengths"),
            (["reduce", "--model", "model", "--threads", "0"] + steps, 64, "--threads"),
            (["reduce", "--model", "model", "--threads", "5000"] + steps, 64, "--threads must be from 1 to 1024"),
            (["step", "--model", "model", "--threads", "1025"] + steps, 64, "--threads must be from 1 to 1024"),
            (["step", "--model", "model", "--micro", "5000"] + steps, 64, "--micro must be from 1 to 4096"),
            (["kernels", "--model", "model", "--rows", "3", "--threads", "5000"], 64, "--threads must be from 1 to"),
            (
                ["generate", "--model", "model", "--lengths", "lengths.json", "--threads", "5000"], 64,
                "--threads must be from 1 to 1024"
            ),
            (["tokenise", "--config", "run.yaml", "--threads", "5000"], 64, "--threads must be from 1 to 1024"),
            (["step", "--model", "model", "--gemm", "mkl"] + steps, 64, "--gemm"),
            (["kernels", "--model", "model"], 64, "--rows"),
            (["kernels", "--model", "model", "--rows", "3,x"], 64, "list of numbers"),
            (["kernels", "--model", "model", "--rows", "0"], 64, "list of numbers"),
            (["generate", "--model", "model"], 64, "--config"),
            (["generate", "--model", "model", "--lengths", "lengths.json", "--set", "a=b"], 64, "--set"),
            (["generate", "--model", "model", "--config", "nowhere"], 66, "nowhere"),
            (["tokenise", "--config", "run.yaml", "--set", "lora.rnk=3"], 78, "lora.rnk"),
            (["tokenise", "--config", "run.yaml", "--repeats", "0"], 64, "--repeats"),
            (["startup", "--config", "nowhere"], 66, "nowhere"), (["startup"], 64, "--config"),
        ]

        @Test(arguments: refused)
        func `what is wrong is said in one sentence`(arguments: [String], code: Int32, text: String) throws {
            let result = try run(arguments)
            #expect(result.code == code, "\(result.error)")
            #expect(result.output.isEmpty && result.error.contains(text), "\(result.error)")
            let sentences = result.error.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
            #expect(sentences.count + result.sentences.count == 1, "\(result.error)")
        }

        @Test func `several ranks say once what is wrong`() throws {
            let result = try run(["reduce", "--model", "model", "--lengths", "nowhere"], ranks: 2)
            #expect(result.code == 66 && result.sentences.count == 1, "\(result.error)")
        }

        @Test func `a start that is refused ends with the code of the run`() throws {
            try project.replace("r: \"red\"", by: "q: \"red\"", in: "run.yaml")
            let result = try run(["startup", "--config", "run.yaml"])
            #expect(result.code == 65, "\(result.error)")
            #expect(result.error.contains("the label \"r\" is none of"), "\(result.error)")
        }
    }
}
