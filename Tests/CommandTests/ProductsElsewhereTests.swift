import Foundation
import Kernels
import TestSupport
import Testing

extension ProgramTests {
    /// Adapters that were trained with products that the machine where they are used may not have.
    @Suite struct ProductsElsewhereTests {
        /// A run on tiles.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let result = try Program.run(
                project.train(["--set", "model.products=bf16x3", "--set", "parallel.gemm=tiles"]))
            #expect(result.code == 0, "\(result)")
            return project
        }

        /// The run as if `parallel.gemm` had had this value, which is how it is on a processor that has what the run used.
        private static func run(by gemm: String, products: String = "bf16x3") throws -> TinyProject {
            let project = try shared.get().copy()
            try project.replace("gemm: tiles", by: "gemm: \(gemm)", in: "run/config.yaml")
            try project.replace("products: bf16x3", by: "products: \(products)", in: "run/config.yaml")
            return project
        }

        private static func predict(_ project: TinyProject, _ arguments: [String]) throws -> Program.Result {
            let lines = try project.write("lines.txt", "baran cesel\nditim fovok\n")
            return try Program.run(["predict"] + arguments + ["--task", "colour", "--scores", "--input", lines])
        }

        @Test func `an adapter of bf16x3 is used where auto has no tiles, with the same answers`() throws {
            let (explicit, automatic) = (try Self.run(by: "tiles"), try Self.run(by: "auto"))
            let before = try Self.predict(explicit, [explicit.file("run")])
            let after = try Self.predict(automatic, [automatic.file("run")])
            #expect(before.code == 0 && after.code == 0 && after.output == before.output, "\(before) \(after)")
            #expect(after.error.contains("portable twin") == !TileProducts.isNative, "\(after)")
            let run = automatic.file("run")
            for arguments in [
                ["evaluate", run], ["analyze", run, "--out", automatic.file("analysis")],
                ["export", run, "--format", "merged", "--out", automatic.file("merged")],
                ["export", run, "--format", "native", "--out", automatic.file("native")],
            ] {
                let result = try Program.run(arguments)
                #expect(result.code == 0, "\(result)")
            }
            let card = try String(contentsOfFile: automatic.file("merged/colour/README.md"), encoding: .utf8)
            #expect(card.contains("in bf16x3 (model.products)"), "\(card)")
            let native = try Self.predict(
                automatic, [automatic.file("native"), "--model", automatic.file("model")])
            #expect(native.code == 0 && native.output == before.output, "\(native)")
            // Training needs what was asked for.
            let resumed = try Program.run(
                automatic.train(["--set", "model.products=bf16x3", "--set", "train.steps=20", "--set", "lr.warmup=1"]))
            #expect((resumed.code == 0) == TileProducts.isNative, "\(resumed)")
        }

        @Test func `a library that cannot compute here is replaced, but not one that is named now`() throws {
            let project = try Self.run(by: "onednn", products: "bfloat16")
            let result = try Self.predict(project, [project.file("run"), "--allow-changes"])
            #expect(result.code == 0, "\(result)")
            #expect(
                result.error.contains("parallel.gemm onednn cannot compute the products here") == !OneDNN.hasBFloat16,
                "\(result)")
            let named = try Program.run([
                "evaluate", project.file("run"), "--allow-changes", "--set", "parallel.gemm=openblas",
            ])
            #expect(named.code == 78 && named.error.contains("openblas"), "\(named)")
        }

        @Test(arguments: [("bf16x3", "openblas", ["tiles"]), ("float32", "tiles", ["openblas"])])
        func `a library that cannot compute an adapter's products is refused with those that can`(
            products: String, gemm: String, works: [String]
        ) throws {
            let project = try products == "bf16x3" ? Self.shared.get() : TinyProject()
            if products == "float32" { #expect(try Program.run(project.train()).code == 0) }
            func evaluate(_ setting: String) throws -> Program.Result {
                try Program.run(["evaluate", project.file("run"), "--set", setting])
            }
            let refused = try evaluate("parallel.gemm=\(gemm)")
            #expect(refused.code == 78 && refused.sentences.count == 1, "\(refused)")
            let start =
                "unolora-dist: --set parallel.gemm=\(gemm): parallel.gemm \(gemm) computes no products in \(products); "
                + "model.products \(products) and model.storage float32 were decided when the adapter was trained, "
                + "so set parallel.gemm to auto or "
            #expect(refused.error.contains(start), "\(refused.error)")
            // What is named for that works.
            for gemm in works + ["auto"] {
                #expect(refused.error.contains(" \(gemm)"), "\(refused.error)")
                let result = try evaluate("parallel.gemm=\(gemm)")
                #expect(result.code == 0, "\(result)")
            }
            // The run's own value changes nothing, of which there is nothing to say.
            let own = try evaluate("model.products=\(products)")
            #expect(own.code == 0 && !own.error.contains("has no effect"), "\(own)")
        }

        @Test func `figures say what computed them, and other products do not replace them`() throws {
            let project = try TinyProject()
            let trained = try Program.run(
                project.train(["--set", "model.products=fast", "--set", "parallel.gemm=openblas"]))
            #expect(trained.code == 0, "\(trained)")
            func evaluate(_ gemm: String) throws -> (basis: String, products: String) {
                let result = try Program.run(
                    ["evaluate", project.file("run"), "--json", "--set", "parallel.gemm=\(gemm)"])
                #expect(result.code == 0, "\(result)")
                #expect(result.error.contains("note: model.products fast is "), "\(result)")
                let record = try #require(
                    try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
                let libraries = try #require(record["libraries"] as? [String: String])
                return (try #require(record["basis"] as? String), try #require(libraries["products"]))
            }
            let (float32, tiles) = (try evaluate("openblas"), try evaluate("tiles"))
            #expect(float32.products.hasSuffix(" in float32") && tiles.products == "\(TileProducts.name) in bf16x3")
            #expect(float32.basis != tiles.basis)
            let files = try FileManager.default.contentsOfDirectory(atPath: project.file("run")).filter {
                $0.hasPrefix("evaluation-validation-")
            }
            #expect(files.count == 2 && files.contains { $0.contains(tiles.basis.prefix(8)) }, "\(files)")
        }
    }
}
