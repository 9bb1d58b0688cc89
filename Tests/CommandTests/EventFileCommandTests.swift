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
                    let all = try #require(object["examples"] as? Double)
                    values += try tasks.map {
                        ("share/" + $0.key, try #require($0.value["examples"] as? Double) / all)
                    }
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
            let all = files.flatMap(\.points)
            let points = all.filter { !$0.tag.hasPrefix("best/") && !$0.tag.hasPrefix("interference/") }
            #expect(try points == Self.expected(run))
            #expect(Set(points.map(\.step)) == [4, 8, 12])
            for tag in ["best/test/average", "best/test/averageOverTasks", "best/test/colour/f1", "best/step"] {
                #expect(all.filter { $0.tag == tag }.map(\.step) == [13], "\(tag)")
            }
            #expect(points.count { $0.tag == "loss" } == 3)
            #expect(points.count { $0.tag == "validation-8/grade/spearman" } == 2)
        }

        /// Names of the histograms of a method: kinds of weights, and tasks.
        private static let kinds: [(method: String, tags: [String])] = [
            (
                "unolora_star",
                ["decoderCross", "decoderSelf", "encoderSelf"].flatMap { site in
                    ["A", "B"].flatMap { matrix in ["q", "v"].map { "\(matrix)/\(site).\($0)" } }
                } + [
                    "hypernet/mlp", "hypernet/mlp.bias", "hypernet/position_embedding", "hypernet/sample_encoder",
                    "hypernet/sample_encoder.bias", "hypernet/scale", "hypernet/scale.bias", "hypernet/task_embedding",
                    "scales/colour", "scales/grade", "scales/pair",
                ]
            ),
            (
                "lora_per_task",
                ["decoderCross", "decoderSelf", "encoderSelf"].flatMap { site in
                    ["A", "B"].flatMap { matrix in
                        ["q", "v"].flatMap { leaf in
                            ["colour", "grade", "pair"].map { "\(matrix)/\(site).\(leaf)/\($0)" }
                        }
                    }
                }
            ),
        ]

        @Test(arguments: kinds)
        func `weights and scales are drawn at each evaluation, over a stop and a resume`(
            method: String, tags: [String]
        ) throws {
            let project = try TinyProject().copy(method: method)
            let run = project.file("run")
            // The first job evaluates step 8, the second one step 12.
            #expect(try Program.run(project.train(["--stop-after", "10"])).code == 85)
            #expect(try Program.run(project.train(), ranks: 2).code == 0)
            let files = try Self.files(run)
            let histograms = files.flatMap(\.histograms)
            #expect(Set(histograms.map(\.tag)) == Set(tags))
            #expect(histograms.count == 2 * tags.count)
            #expect(Set(files[0].histograms.map(\.step)) == [8] && Set(files[1].histograms.map(\.step)) == [12])
            for histogram in histograms {
                #expect(histogram.counts.reduce(0, +) == histogram.count && histogram.count > 0, "\(histogram.tag)")
                #expect(histogram.limits.last == histogram.most && histogram.limits.count == histogram.counts.count)
                #expect(histogram.limits == histogram.limits.sorted() && histogram.least < histogram.limits[0])
                let mean = histogram.sum / histogram.count
                #expect(histogram.least <= mean && mean <= histogram.most)
                #expect(histogram.squares > 0 && histogram.squares >= mean * mean * histogram.count * 0.999_999)
            }
            // 2 blocks of A [4, 32]; an A of one task.
            let first = try #require(histograms.first { $0.tag.hasPrefix("A/encoderSelf.q") })
            #expect(first.count == 2 * 4 * 32)
            if method == "unolora_star" {
                // 64 texts, 12 sites, rank 4; the scales begin near 1.
                let scales = try #require(histograms.first { $0.tag == "scales/colour" })
                #expect(scales.count == 64 * 12 * 4 && abs(scales.sum / scales.count - 1) < 0.5)
            }
        }

        @Test
        func `each start shows the configuration and the hyperparameters, and only the end that the run is finished`()
            throws
        {
            let project = try TinyProject()
            let run = project.file("run")
            #expect(try Program.run(project.train(["--stop-after", "6"])).code == 85)
            #expect(try Program.run(project.train()).code == 0)
            let files = try Self.files(run)
            let yaml = try String(contentsOfFile: run + "/config.yaml", encoding: .utf8)
            let code = yaml.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }
            for (file, step) in zip(files, [1, 7]) {
                #expect(file.texts == [.init(tag: "config.yaml", step: step, text: code.joined(separator: "\n"))])
                #expect(file.beginnings.map(\.tag) == ["_hparams_/session_start_info"])
                #expect(file.beginnings.map(\.step) == [step])
                let lines = Set(file.beginnings.flatMap { $0.text.split(separator: "\n").map(String.init) })
                for line in [
                    "method: unolora_star", "tasks: colour, pair, grade", "lora.rank: 4.0", "lr.peak: 0.01",
                    "train.seed: 1.0", "sampler.temperature: 10.0", "lora.freezeA: false", "sampler.cap: null",
                ] {
                    #expect(lines.contains(line), "\(line)")
                }
                #expect(!lines.contains { $0.hasPrefix("log.") || $0.hasPrefix("hyperformer.") })
            }
            // A start of the finished run says the end again; its mark cancels what the earlier start said at step 13.
            #expect(try Program.run(project.train()).code == 0)
            let again = try #require(try Self.files(run).last)
            #expect(again.starts == [13] && again.texts.map(\.step) == [13] && again.endings.map(\.step) == [13])
            #expect(Set(again.points.map(\.step)) == [13] && again.histograms.isEmpty)
            #expect(files[0].endings.isEmpty)
            #expect(files[1].endings == [.init(tag: "_hparams_/session_end_info", step: 13, text: "1")])
        }

        @Test func `without evaluations the last step is drawn`() throws {
            let project = try TinyProject()
            let arguments = ["--set", "train.steps=4", "--set", "eval.every=null", "--set", "eval.atEnd=false"]
            #expect(try Program.run(project.train(arguments)).code == 0)
            let files = try Self.files(project.file("run"))
            #expect(Set(files.flatMap(\.histograms).map(\.step)) == [4])
            #expect(files.flatMap(\.endings).count == 1)
        }

        @Test func `a run without curves has no file for them`() throws {
            let project = try TinyProject()
            let arguments = ["--set", "train.steps=2", "--set", "log.tensorBoard=false"]
            #expect(try Program.run(project.train(arguments)).code == 0)
            #expect(try Self.files(project.file("run")).isEmpty)
        }
    }
}
