import Foundation
import Kernels
import TestSupport
import Testing

extension ProgramTests {
    /// The effect of `model.storage` and `model.products`, as printed by `verify --config` and as recorded by a run.
    @Suite struct PrecisionCommandTests {
        private static func measure(_ project: TinyProject, _ arguments: [String], ranks: Int? = nil) throws
            -> NSDictionary
        {
            let result = try Program.run(
                ["verify", "--config", project.configuration, "--out", project.file("run")] + arguments, ranks: ranks)
            #expect(result.code == 0, "\(result.error)")
            #expect(result.output.split(separator: "\n").count == 1, "\(result.output)")
            return try #require(
                try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? NSDictionary)
        }

        /// Trains in `run` and returns the entry of `environment.json` about the precision.
        private static func train(
            _ project: TinyProject, _ setting: String, run: String, ranks: Int?
        ) throws -> (record: NSDictionary?, output: String) {
            let result = try Program.run(
                [
                    "train", "--config", project.configuration, "--out", project.file(run), "--set",
                    "model.\(setting)", "--set", "train.steps=3", "--set", "lr.warmup=1", "--set",
                    "eval.atEnd=false",
                ], ranks: ranks)
            #expect(result.code == 0, "\(result.error)")
            let data = try Data(contentsOf: URL(fileURLWithPath: project.file(run + "/environment.json")))
            let environment = try #require(try JSONSerialization.jsonObject(with: data) as? NSDictionary)
            return (environment["precision"] as? NSDictionary, result.output)
        }

        @Test(arguments: [("products", "int8"), ("storage", "bfloat16")])
        func `a run records what verify measures, the same on one rank and on two`(key: String, value: String) throws {
            let project = try TinyProject()
            let alone = try Self.train(project, "\(key)=\(value)", run: "alone", ranks: nil)
            let two = try Self.train(project, "\(key)=\(value)", run: "two", ranks: 2)
            let record = try #require(alone.record)
            let model = ["storage": "float32", "products": "float32"].merging([key: value]) { $1 }
            #expect(record["model"] as? [String: String] == model)
            #expect(record == two.record)
            let measured = try Self.measure(project, ["--\(key)", value, "--examples", "8"])
            #expect(record == measured)
            #expect(measured == (try Self.measure(project, ["--\(key)", value, "--examples", "8"], ranks: 2)))
            let lines = alone.output.split(separator: "\n").filter {
                $0.contains("precision: \(value) \(key) against float32 on 8 examples")
            }
            #expect(lines.count == 1, "\(alone.output)")
            let log = try String(contentsOfFile: project.file("alone/logs/rank-00000.log"), encoding: .utf8)
            #expect(log.contains(try #require(lines.first)))
            // Later, with the trained adapter, every tensor has a gradient.
            let later = try Self.measure(
                project, ["--\(key)", value, "--checkpoint", project.file("two/checkpoints/last")])
            #expect(later["step"] as? Int == 3 && later["examples"] as? Int == 64)
            func tensors(_ report: NSDictionary) -> Int {
                (report["gradients"] as? NSDictionary)?["tensors"] as? Int ?? 0
            }
            // A weight in bfloat16 has a relative error of up to 2^-9, 0.2 %; products of 8-bit numbers have one of 1.3 %.
            let errors = try #require(record["encoderErrors"] as? [Double])
            #expect(errors.allSatisfy { $0 > 1e-4 && $0 < (value == "int8" ? 0.1 : 0.01) }, "\(errors)")
            #expect(tensors(record) > 0 && tensors(later) > tensors(record))
        }

        /// On every machine; where there are no tiles, by their twin.
        @Test func `a run on tiles says what computed it, and fast says what it means`() throws {
            let project = try TinyProject()
            func train(_ run: String, _ settings: [String]) throws -> (output: String, libraries: [String: String]) {
                let result = try Program.run(
                    [
                        "train", "--config", project.configuration, "--out", project.file(run), "--set",
                        "train.steps=3",
                        "--set", "lr.warmup=1", "--set", "eval.atEnd=false",
                    ] + settings.flatMap { ["--set", $0] })
                #expect(result.code == 0, "\(result.error)")
                let data = try Data(contentsOf: URL(fileURLWithPath: project.file(run + "/environment.json")))
                let environment = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
                return (result.output, environment["libraries"] as? [String: String] ?? [:])
            }
            let tiles = try train("tiles", ["model.products=bf16x3", "parallel.gemm=tiles"])
            let name = TileProducts.name
            #expect(tiles.libraries["products"] == name)
            #expect(tiles.output.contains("runs on its portable twin") == !TileProducts.isNative, "\(tiles.output)")
            #expect(tiles.output.contains("precision: bf16x3 products against float32"), "\(tiles.output)")
            let fast = try train("fast", ["model.products=fast"])
            let meaning = TileProducts.isNative ? "bf16x3" : "float32"
            #expect(fast.libraries["products"]?.hasSuffix(" in \(meaning)") == true, "\(fast.libraries)")
            #expect(fast.output.contains("note: model.products fast is \(meaning) by "), "\(fast.output)")
            #expect(fast.output.contains("precision:") == TileProducts.isNative)
        }

        @Test func `fast that is resumed on another kind of machine says so`() throws {
            let project = try TinyProject()
            let arguments = project.train(["--set", "model.products=fast"])
            #expect(try Program.run(arguments + ["--stop-after", "3"]).code == 85)
            var here = ""
            try rewriteState(of: project.file("run/checkpoints/step-00000003")) { state in
                var libraries = state["libraries"] as? [String: String] ?? [:]
                here = libraries["products"] ?? ""
                libraries["products"] = "others in float16"
                state["libraries"] = libraries
            }
            let resumed = try Program.run(arguments)
            let note = "note: products was others in float16 and is \(here): the bits may differ from here on"
            #expect(here.contains(TileProducts.isNative ? " in bf16x3" : " in float32"), "\(here)")
            #expect(resumed.code == 0 && resumed.output.contains(note), "\(resumed)")
        }

        @Test func `a run in float32 records nothing, and verify finds no error in it`() throws {
            let project = try TinyProject()
            let run = try Self.train(project, "products=float32", run: "run", ranks: nil)
            #expect(run.record == nil && !run.output.contains("precision:"))
            let report = try Self.measure(
                project, ["--set", "parallel.gemm=openblas", "--examples", "5"])
            #expect(report["encoderErrors"] as? [Double] == [0, 0] && report["decoderErrors"] as? [Double] == [0, 0])
            #expect(report["lossDifference"] as? Double == 0 && report["examples"] as? Int == 5)
            #expect((report["gradients"] as? NSDictionary)?["cosine"] as? Double == 1)
        }

        @Test(arguments: [("int8", "products"), ("bfloat16", "storage")])
        func `the earlier name of the options measures the same and is said`(value: String, key: String) throws {
            let project = try TinyProject()
            func verify(_ arguments: [String]) throws -> Program.Result {
                try Program.run(
                    ["verify", "--config", project.configuration, "--out", project.file("run"), "--examples", "3"]
                        + arguments, ranks: 2)
            }
            let new = try verify(["--\(key)", value])
            let old = try verify(["--precision", value])
            #expect(new.code == 0 && old.code == 0 && old.output == new.output && !new.output.isEmpty, "\(old.error)")
            let notice = "note: --precision is the earlier name of --storage and --products; write --storage "
            #expect(old.error.components(separatedBy: notice).count == 2, "\(old.error)")
            #expect(old.error.contains("--\(key) \(value)") && !new.error.contains("note:"), "\(old.error)")
        }

        @Test(arguments: [
            (["--products", "int8"], "it needs a case"), (["--storage", "bfloat16", "case"], "need --config"),
            (["--products", "int4", "--config", "run.yaml"], "int4"),
            (["--storage", "int8", "--config", "run.yaml"], "int8"),
            (["--config", "run.yaml", "case"], "no cases"),
            (["--config", "run.yaml", "--gemm", "onednn"], "--set parallel.gemm"),
            (["--config", "run.yaml", "--examples", "0"], "at least 1"),
            (["--examples", "3", "case"], "need --config"), ([], "it needs a case, or --config"),
            (["--precision", "int8"], "need --config"),
            (["--precision", "int8", "--products", "int8", "--config", "run.yaml"], "earlier name"),
        ])
        func `options that do not go together are refused`(arguments: [String], says: String) throws {
            let result = try Program.run(["verify"] + arguments)
            #expect(result.code == 64 && result.error.contains(says), "\(result.error)")
        }
    }
}
