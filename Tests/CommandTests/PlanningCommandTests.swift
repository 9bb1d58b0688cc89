import Foundation
import Tasks
import TestSupport
import Testing

extension ProgramTests {
    /// `plan` and `prepare`.
    @Suite struct PlanningCommandTests {
        /// A project of eight tasks on a shape without weights.
        private static func project(_ preset: String) throws -> TinyProject {
            let project = try TinyProject()
            let shapes = ["t5-small": (512, 2048, 8, 6), "t5-base": (768, 3072, 12, 12)]
            let (width, feedForward, heads, blocks) = try #require(shapes[preset])
            try project.write(
                "model/config.json",
                """
                {"model_type": "t5", "d_model": \(width), "d_kv": 64, "d_ff": \(feedForward), "num_heads": \(heads),
                "num_layers": \(blocks), "num_decoder_layers": \(blocks), "vocab_size": 32128, "dropout_rate": 0.1,
                "relative_attention_num_buckets": 32, "layer_norm_epsilon": 1e-6, "feed_forward_proj": "relu",
                "tie_word_embeddings": true, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1}
                """)
            try FileManager.default.removeItem(atPath: project.file("model/model.safetensors"))
            // The last token makes the small vocabulary fit such a large embedding.
            try project.write("model/added_tokens.json", #"{"<last>": 32127}"#)
            let tasks = (0..<8).map {
                """
                  - name: task\($0)
                    format: tsv
                    train: colour/train.tsv
                    validation: colour/validation.tsv
                    test: colour/test.tsv
                    fields: [sentence]
                    labels: {r: "red", b: "blue"}
                """
            }
            try project.write(
                "run.yaml", "model: model\ndropout: 0.1\ntasks:\n" + tasks.joined(separator: "\n") + "\n")
            return project
        }

        @Test(arguments: [
            ("t5-small", "unolora", 294_912, 60_506_624, 0.0609),
            ("t5-small", "unolora_star", 307_552, 60_506_624, 0.0635),
            ("t5-small", "lora_per_task", 2_359_296, 60_506_624, 0.4874),
            ("t5-base", "unolora", 884_736, 222_903_552, 0.0496),
            ("t5-base", "unolora_star", 904_352, 222_903_552, 0.0507),
            ("t5-base", "lora_per_task", 7_077_888, 222_903_552, 0.3969),
            ("t5-small", "hyperformer_pp", 2_415_776, 60_506_624, 0.4991),
            ("t5-base", "hyperformer_pp", 5_211_056, 222_903_552, 0.2922),
            ("t5-small", "full", 60_506_624, 60_506_624, 12.5),
        ])
        func `plan counts trainable and frozen weights`(
            preset: String, method: String, trainable: Int, backbone: Int, perTask: Double
        ) throws {
            let project = try Self.project(preset)
            let result = try Program.run(["plan", "--config", project.configuration, "--set", "method=\(method)"])
            #expect(result.code == 0, "\(result.error)")
            let words = result.output.split(separator: "\n").map { $0.split(separator: " ") }
            #expect(words.contains { $0.starts(with: ["trainable", "\(trainable)", "weights"]) }, "\(result.output)")
            #expect(words.contains { $0.starts(with: ["backbone", "\(backbone)", "weights"]) })
            #expect(result.output.contains("\(String(format: "%.4f", perTask)) % per task"))
            // 120 training rows in each of eight tasks: equal shares.
            #expect(result.output.contains(#/task7 +120 +0\.1250/#))
        }

        @Test(arguments: [
            // Of A and B of equal size, and of 8 numbers for each of 8 tasks.
            (["method=unolora", "lora.freezeA=true"], 147_456, 147_456), (["method=unolora"], 294_912, 0),
            (["method=unolora_star", "hyper.freeze=true"], 294_912, 12_640),
            (["method=lora_per_task", "lora.freezeA=true"], 1_179_648, 1_179_648),
        ])
        func `plan counts what is frozen apart`(settings: [String], trainable: Int, frozen: Int) throws {
            let project = try Self.project("t5-small")
            let result = try Program.run(
                ["plan", "--config", project.configuration] + settings.flatMap { ["--set", $0] })
            #expect(result.code == 0, "\(result.error)")
            let words = result.output.split(separator: "\n").map { $0.split(separator: " ") }
            #expect(words.contains { $0.starts(with: ["trainable", "\(trainable)", "weights"]) }, "\(result.output)")
            #expect(words.contains { $0.starts(with: ["frozen", "\(frozen)", "weights"]) } == (frozen > 0))
            // 8 bytes for each that is trained, and 37 words.
            let wire = String(format: "%.1f", Double(8 * (trainable + 37)) / 0x1p20)
            #expect(words.contains { $0.starts(with: ["wire", "per", "step", Substring(wire)]) }, "\(result.output)")
        }

        @Test func `plan counts the memory of an evaluation where that is more than a micro-batch takes`() throws {
            let project = try TinyProject()
            func memory(_ settings: String...) throws -> Double {
                let result = try Program.run(
                    ["plan", "--config", project.configuration] + settings.flatMap { ["--set", $0] })
                #expect(result.code == 0, "\(result.error)")
                let match = try #require(result.output.firstMatch(of: #/worker\(s\) of ([0-9.]+) MiB/#))
                return try #require(Double(match.1))
            }
            let small = try memory("eval.batch=1")
            #expect(try memory("eval.batch=4096") > 100 * small)
            #expect(try memory("eval.batch=1", "batch.micro=2") < small)
            // The additional memory is for keys and values of the answers.
            #expect(try memory("eval.batch=1024", "eval.maxNewTokens=4000") > 1.5 * memory("eval.batch=1024"))
        }

        /// A thread copies one projection of 1,024 x 65,536 weights at a time, up to five bytes of each.
        @Test func `plan counts the copies that packing makes where they are more than training takes`() throws {
            struct Plan: Decodable {
                struct Memory: Decodable {
                    var rankBytes: Int
                    var packingBytes: Int
                    var mostNodeBytes: Double
                }
                var memory: Memory
            }
            let project = try TinyProject()
            for (old, new) in [
                ("\"d_model\" : 32", "\"d_model\" : 1024"), ("\"d_ff\" : 64", "\"d_ff\" : 65536"),
            ] { try project.replace(old, by: new, in: "model/config.json") }
            let arguments = ["plan", "--config", project.configuration, "--set", "data.maxSource=16"]
            func plan(_ more: [String], threads: Int) throws -> (memory: Plan.Memory, text: String) {
                let all = arguments + ["--set", "parallel.threads=\(threads)"] + more
                let (json, text) = (try Program.run(all + ["--json"]), try Program.run(all))
                #expect(json.code == 0 && text.code == 0, "\(json) \(text)")
                return (try JSONDecoder().decode(Plan.self, from: Data(json.output.utf8)).memory, text.output)
            }
            let small = ["batch.micro=1", "eval.batch=1"].flatMap { ["--set", $0] }
            let tiles = small + ["--set", "model.products=bf16x3", "--set", "parallel.gemm=tiles"]
            let copy = 5 * 1024 * 65536
            let (one, text) = try plan(tiles, threads: 1)
            #expect(one.packingBytes == 16 << 20 + copy && one.packingBytes > one.rankBytes, "\(one)")
            #expect(text.contains("packing              about 336.0 MiB private on each rank at the start"), "\(text)")
            // What the ranks of a node share is the same for both, and OpenBLAS packs nothing.
            #expect(try plan(tiles, threads: 3).memory.packingBytes == 16 << 20 + 3 * copy)
            let (plain, without) = try plan(small + ["--set", "parallel.gemm=openblas"], threads: 1)
            #expect(plain.packingBytes == 16 << 20 && !without.contains("packing  "), "\(without)")
            let two = try plan(tiles + ["--ranks", "2"], threads: 1).memory
            #expect(two.mostNodeBytes - one.mostNodeBytes == Double(one.packingBytes), "\(two) \(one)")
        }

        @Test func `plan refuses batches that no memory holds on a model that might be`() throws {
            let project = try TinyProject()
            for (old, new) in [
                ("\"num_heads\" : 4", "\"num_heads\" : 10000000"), ("\"d_kv\" : 8", "\"d_kv\" : 1"),
                ("\"d_model\" : 32", "\"d_model\" : 1"), ("\"num_layers\" : 2", "\"num_layers\" : 1000"),
            ] { try project.replace(old, by: new, in: "model/config.json") }
            let result = try Program.run([
                "plan", "--config", project.configuration, "--set", "batch.micro=4096", "--set", "batch.global=4096",
                "--set", "data.maxSource=100000", "--set", "lora.rank=1",
            ])
            #expect(result.code == 78, "\(result.code) \(result.error)")
            #expect(result.error.contains("lower batch.micro, eval.batch or data.maxSource"), "\(result.error)")
        }

        @Test func `plan warns of threads that would idle and refuses ranks that would`() throws {
            let project = try TinyProject()
            let arguments = ["plan", "--config", project.configuration]
            let idle = try Program.run(arguments + ["--ranks", "4", "--set", "parallel.threads=3"])
            #expect(idle.code == 0 && idle.output.contains("2 of 3 threads of a rank will idle"), "\(idle.output)")
            let refused = try Program.run(arguments + ["--ranks", "5"])
            #expect(refused.code == 78 && refused.error.contains("batch.micro: 2"), "\(refused.error)")
        }

        @Test func `plan refuses as many ranks as a number can say`() throws {
            let project = try TinyProject()
            let result = try Program.run(["plan", "--config", project.configuration, "--ranks", "\(Int.max)"])
            #expect(result.code == 78 && result.sentences.count == 1, "\(result)")
            #expect(result.error.contains("use at most 4 ranks"), "\(result.error)")
        }

        @Test func `plan warns of more memory than the machine has`() throws {
            let project = try Self.project("t5-base")
            let arguments = ["plan", "--config", project.configuration]
            #expect(try !Program.run(arguments).output.contains("of memory"))
            let large = try Program.run(
                arguments + ["batch.micro=4096", "batch.global=4096", "data.maxSource=2048"].flatMap { ["--set", $0] })
            #expect(large.code == 0, "\(large.error)")
            let warning = #/warning: a node needs (?:about [0-9.]+ GiB, )?up to [0-9.]+ GiB, and (?:this|the job)/#
            #expect(large.output.contains(warning), "\(large.output)")
        }

        /// 222,903,552 weights of 4 bytes are 850.3 MiB; all of them except 48,384 in norms and position biases may have 2
        /// bytes.
        @Test(arguments: [
            (
                "storage=float32",
                #"  850\.3 MiB backbone mapped, once, \+ nothing packed for OpenBLAS \(\d+\.\d MiB with"#
            ),
            // 198,180,864 of them are in projections, with 1 byte each for two directions; oneDNN also packs the output in
            // float32.
            (
                "products=int8",
                #"  850\.3 MiB backbone mapped, once, \+ 378\.0 MiB packed once for products of 8 bits \(566\.2 MiB with"#
            ),
            ("storage=bfloat16", #"  425\.2 MiB backbone in bfloat16, once, \+ nothing packed for OpenBLAS \+ 1 x"#),
        ])
        func `plan counts the backbone as it is kept`(setting: String, line: String) throws {
            let project = try Self.project("t5-base")
            let plan = try Program.run([
                "plan", "--config", project.configuration, "--set", "model.\(setting)", "--set",
                "parallel.gemm=openblas",
            ])
            #expect(plan.code == 0, "\(plan.error)")
            #expect(plan.output.contains(try Regex("memory per node    " + line)), "\(plan.output)")
        }

        /// For each weight and direction 4, 2 or 1 bytes, and 4 for the 24,674,304 of the output matrix.
        @Test(arguments: [("bf16x3", "1700.2"), ("bfloat16", "944.2"), ("int8", "566.2")])
        func `plan counts what tiles pack`(products: String, mebibytes: String) throws {
            let project = try Self.project("t5-base")
            let plan = try Program.run([
                "plan", "--config", project.configuration, "--set", "model.products=\(products)", "--set",
                "parallel.gemm=tiles",
            ])
            #expect(plan.code == 0, "\(plan.error)")
            #expect(
                plan.output.contains("850.3 MiB backbone mapped, once, + \(mebibytes) MiB packed once for tiles +"),
                "\(plan.output)")
        }

        /// The numbers of a worker's widest operand: 3,072 for each token of a batch, with 2 bytes each.
        @Test func `plan counts the rows that are rounded to 8 bits`() throws {
            let project = try Self.project("t5-base")
            func worker(_ products: String) throws -> Double {
                let plan = try Program.run([
                    "plan", "--config", project.configuration, "--set", "model.products=\(products)", "--set",
                    "parallel.gemm=openblas", "--set", "batch.micro=8", "--set", "batch.global=8", "--set",
                    "eval.batch=8", "--set", "data.maxSource=512",
                ])
                #expect(plan.code == 0, "\(plan.error)")
                return try #require(
                    plan.output.firstMatch(of: #/worker\(s\) of (\d+\.\d) MiB/#).flatMap { Double($0.1) })
            }
            let more = try worker("int8") - worker("float32")
            #expect(abs(more - Double(3072 * 8 * 512 * 2) / 1_048_576) < 0.2, "\(more)")
        }

        @Test func `plan gives a rank no more threads than it has micro-batches`() throws {
            let project = try TinyProject()
            let result = try Program.run([
                "plan", "--config", project.configuration, "--set", "parallel.threads=auto", "--ranks", "4",
                "--ranks-per-node", "1",
            ])
            #expect(result.code == 0, "\(result.error)")
            #expect(result.output.contains("4 rank(s) x 1 thread(s)"), "\(result.output)")
            #expect(result.output.contains("4 on a thread in turn"), "\(result.output)")
            #expect(!result.output.contains("idle"), "\(result.output)")
        }

        @Test func `plan counts with the longest answer that prepare finds`() throws {
            let project = try TinyProject()
            try project.replace("b: \"blue\"", by: "b: \"blue ba ce di fo gu ha\"", in: "run.yaml")
            let prepared = try Program.run(
                ["prepare", "--config", project.configuration, "--json"], directory: project.path)
            let statistics = try JSONDecoder().decode(DataStatistics.self, from: Data(prepared.output.utf8))
            let longest = statistics.tasks.flatMap { $0.splits.compactMap(\.answers.longest) }.max()
            #expect(try #require(longest) > 8, "\(prepared.output)")
            let plan = try Program.run(["plan", "--config", project.configuration])
            #expect(plan.output.contains("target \(try #require(longest)))"), "\(plan.output)")
        }

        @Test func `train opens the cache that prepare has built`() throws {
            let project = try TinyProject()
            let prepared = try Program.run(["prepare", "--config", "run.yaml"], ranks: 2, directory: project.path)
            #expect(prepared.code == 0, "\(prepared.error)")
            #expect(prepared.output.hasPrefix("token cache: "))
            let cache = project.file("runs/run/cache")
            let before = try digests(below: cache)
            #expect(before.count == 1)
            func changed() throws -> [Date] {
                try before.keys.map { name in
                    let attributes = try FileManager.default.attributesOfItem(atPath: cache + "/" + name)
                    return try #require(attributes[.modificationDate] as? Date)
                }
            }
            let dates = try changed()
            let trained = try Program.run(
                ["train", "--config", "run.yaml", "--set", "train.steps=2"], directory: project.path)
            #expect(trained.code == 0, "\(trained.error)")
            #expect(try digests(below: cache) == before)
            #expect(try changed() == dates)
        }
    }
}
