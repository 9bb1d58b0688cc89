import Foundation
import Kernels
import TestSupport
import Testing

extension ProgramTests {
    /// The central promise: the result of training depends only on the configuration and the data.
    @Suite struct RankInvarianceTests {
        /// How processes share the work; without `ranks` the program is started without mpirun.
        struct Layout: CustomTestStringConvertible {
            var ranks: Int?
            var threads: Int
            /// Whether all ranks share the decoding in evaluations.
            var decodesOnAll = false

            var testDescription: String {
                (ranks.map { "mpirun -n \($0)" } ?? "alone") + ", \(threads) thread(s)"
                    + (decodesOnAll ? ", decoding on all" : "")
            }
        }

        static let methods = ["unolora_star", "unolora", "lora_per_task", "hyperformer_pp", "full"]

        /// The project, a copy for each method, and the result of each method in one process with one thread.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            var (copies, references) = ([String: TinyProject](), [String: Outcome]())
            for method in methods {
                let copy = try project.copy(method: method)
                copies[method] = copy
                references[method] = try train(copy, [(Layout(ranks: nil, threads: 1), nil)])
            }
            return (project, copies, references)
        }

        /// Trains in legs; each leg ends at the step that it names, the last one at the end.
        private static func train(
            _ project: TinyProject, _ legs: [(Layout, stop: Int?)], set: [String] = [],
            products: String? = nil
        ) throws -> Outcome {
            let out = try TemporaryDirectory()
            let run = out.file("run")
            for (layout, stop) in legs {
                let stopping = stop.map { ["--stop-after", String($0)] } ?? []
                let result = try Program.run(
                    [
                        "train", "--config", project.configuration, "--out", run, "--set",
                        "parallel.threads=\(layout.threads)", "--set",
                        "eval.ranks=\(layout.decodesOnAll ? "all" : "zero")",
                    ] + set.flatMap { ["--set", $0] } + stopping, ranks: layout.ranks)
                #expect(result.code == (stop == nil ? 0 : 85), "\(layout.testDescription): \(result.error)")
                let status = try Status(run: run)
                #expect(status.state == (stop == nil ? "finished" : "preempted"))
                #expect(status.lastDurableStep == stop ?? 12)
                if let products { #expect(try Self.products(run).hasPrefix(products)) }
            }
            return try Outcome(run: run)
        }

        /// What computed the products with frozen weights, as recorded by the run.
        private static func products(_ run: String) throws -> String {
            struct Environment: Decodable { var libraries: [String: String] }
            let data = try Data(contentsOf: URL(fileURLWithPath: run + "/environment.json"))
            return try JSONDecoder().decode(Environment.self, from: data).libraries["products"] ?? ""
        }

        private static func expectReference(_ method: String, _ legs: [(Layout, stop: Int?)]) throws {
            let (_, copies, references) = try shared.get()
            let outcome = try train(#require(copies[method]), legs)
            let reference = try #require(references[method])
            #expect(outcome.adapter == reference.adapter)
            #expect(outcome.optimizer == reference.optimizer)
            #expect(outcome.metrics == reference.metrics)
            #expect(outcome.best == reference.best && outcome.best != nil)
        }

        @Test(arguments: [
            Layout(ranks: nil, threads: 2), Layout(ranks: 1, threads: 1), Layout(ranks: 1, threads: 2),
            Layout(ranks: 2, threads: 1), Layout(ranks: 2, threads: 2, decodesOnAll: true),
            Layout(ranks: 3, threads: 1),
            Layout(ranks: 3, threads: 2), Layout(ranks: 4, threads: 1),
            Layout(ranks: 4, threads: 2, decodesOnAll: true),
        ])
        func `any number of ranks and threads gives the same bits`(layout: Layout) throws {
            try Self.expectReference("unolora_star", [(layout, nil)])
        }

        @Test(arguments: methods.dropFirst())
        func `the other methods give the same bits on ranks as alone, also when interrupted`(method: String) throws {
            try Self.expectReference(method, [(Layout(ranks: 2, threads: 2), nil)])
            try Self.expectReference(
                method, [(Layout(ranks: 3, threads: 1), 6), (Layout(ranks: nil, threads: 2), nil)])
        }

        /// What is frozen has no part in the sums and in the files of moments.
        @Test(arguments: [
            ["lora.freezeA=true"], ["lora.freezeA=true", "hyper.freeze=true", "parallel.gemm=openblas"],
        ])
        func `runs with frozen parts give the same bits on ranks as alone, also when interrupted`(
            set: [String]
        ) throws {
            let (project, _, references) = try Self.shared.get()
            let alone = try Self.train(project, [(Layout(ranks: nil, threads: 1), nil)], set: set)
            #expect(try Self.train(project, [(Layout(ranks: 2, threads: 2), nil)], set: set) == alone)
            #expect(
                try Self.train(
                    project, [(Layout(ranks: 3, threads: 1), 6), (Layout(ranks: nil, threads: 2), nil)], set: set)
                    == alone)
            #expect(try alone.adapter != #require(references["unolora_star"]).adapter)
        }

        @Test(arguments: [
            [Layout(ranks: nil, threads: 1), Layout(ranks: 4, threads: 2)],
            [Layout(ranks: 2, threads: 2), Layout(ranks: 3, threads: 1)],
            [Layout(ranks: 3, threads: 1), Layout(ranks: 1, threads: 2)],
            [Layout(ranks: 4, threads: 1), Layout(ranks: 2, threads: 1)],
        ])
        func `a run that stops half-way and goes on with other ranks gives the same bits`(layouts: [Layout]) throws {
            try Self.expectReference("unolora_star", [(layouts[0], 6), (layouts[1], nil)])
        }

        @Test func `a run that is interrupted twice gives the same bits`() throws {
            try Self.expectReference(
                "unolora_star",
                [
                    (Layout(ranks: 2, threads: 1), 3), (Layout(ranks: nil, threads: 1), 9),
                    (Layout(ranks: 3, threads: 1), nil),
                ])
        }

        /// One rank of a node converts the weights, into memory that the others read.
        @Test func `weights that must be converted give the same bits on ranks as alone`() throws {
            let project = try Self.shared.get().0.copy()
            var weights = try RawSafetensors(project.file("model/model.safetensors"))
            // BF16 is the upper half of F32.
            weights.data = Data(
                weights.data.indices.filter { ($0 - weights.data.startIndex) % 4 >= 2 }.map { weights.data[$0] })
            for (name, entry) in weights.header where entry["dtype"] as? String == "F32" {
                let offsets = weights.offsets(name).map { $0 / 2 }
                weights.header[name]?["dtype"] = "BF16"
                weights.header[name]?["data_offsets"] = offsets
            }
            try weights.write()
            let alone = try Self.train(project, [(Layout(ranks: nil, threads: 1), nil)])
            let three = try Self.train(project, [(Layout(ranks: 3, threads: 1), nil)])
            #expect(alone == three)
            // This case has weights that are not converted, in products that use only one piece of them.
            let layout = [(Layout(ranks: 2, threads: 1), Int?.none)]
            let kept = try Self.train(project, layout, set: ["model.storage=bfloat16"])
            #expect(try Self.train(project, layout, set: ["parallel.gemm=openblas"]) == kept)
            #expect(try alone.adapter != #require(Self.shared.get().2["unolora_star"]).adapter)
        }

        /// Ways to multiply by frozen weights, with the name of the library that does it.
        private static let products =
            [
                ("parallel.gemm=openblas", "OpenBLAS"), ("model.storage=bfloat16", "OpenBLAS"),
                (
                    "model.products=int8",
                    TileProducts.isNative ? "tiles" : OneDNN.hasVNNI || OneDNN.isFast ? "oneDNN" : "OpenBLAS"
                ),
                ("model.products=bf16x3 parallel.gemm=tiles", TileProducts.name),
                ("model.products=bfloat16 parallel.gemm=tiles", TileProducts.name),
                ("model.products=int8 parallel.gemm=tiles", TileProducts.name),
            ] + (OneDNN.isInBuild ? [("parallel.gemm=onednn", "oneDNN")] : [])
            + (OneDNN.hasBFloat16 ? [("model.products=bfloat16 parallel.gemm=onednn", "oneDNN")] : [])

        @Test(arguments: products)
        func `every library, and 16 or 8 bits, give the same bits on ranks as alone`(
            setting: String, name: String
        ) throws {
            let project = try Self.shared.get().0
            func train(ranks: Int?, threads: Int) throws -> Outcome {
                try Self.train(
                    project, [(Layout(ranks: ranks, threads: threads), nil)],
                    set: setting.split(separator: " ").map(String.init),
                    products: name)
            }
            let alone = try train(ranks: nil, threads: 1)
            #expect(try train(ranks: 1, threads: 2) == alone)
            #expect(try train(ranks: 2, threads: 1) == alone)
            #expect(try train(ranks: 3, threads: 1) == alone)
            guard setting.hasPrefix("model.") else { return }
            #expect(try alone.adapter != #require(Self.shared.get().2["unolora_star"]).adapter)
        }

        /// This guards the tests above: they would also pass if the digest never changed.
        @Test func `another seed gives other bits`() throws {
            let (project, _, references) = try Self.shared.get()
            let other = try project.copy()
            try other.replace("train: {steps: 12}", by: "train: {steps: 12, seed: 2}", in: "run.yaml")
            let outcome = try Self.train(other, [(Layout(ranks: nil, threads: 1), nil)])
            let reference = try #require(references["unolora_star"])
            #expect(outcome.adapter != reference.adapter)
            #expect(outcome.optimizer != reference.optimizer)
            #expect(Set(references.values.map(\.adapter)).count == Self.methods.count)
            // 3 training lines, 2 evaluations.
            #expect(reference.metrics.count == 5)
        }

        @Test func `eight ranks on fewer cores give the same bits as one`() throws {
            let project = try Self.shared.get().0.copy()
            try project.replace("global: 16, micro: 4", by: "global: 16, micro: 2", in: "run.yaml")
            let alone = try Self.train(project, [(Layout(ranks: nil, threads: 1), nil)])
            let eight = try Self.train(project, [(Layout(ranks: 8, threads: 1), nil)])
            #expect(alone == eight)
        }
    }
}
