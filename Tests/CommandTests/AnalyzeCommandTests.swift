import Foundation
import Tensors
import TestSupport
import Testing

extension ProgramTests {
    /// `analyze` on runs of all methods.
    @Suite struct AnalyzeCommandTests {
        @Test func `unolora and unolora_star have spectra, norms and likeness of every site, and the latter scales`()
            throws
        {
            let project = try TinyProject()
            try Self.train(project, "plain", ["--set", "method=unolora"])
            try Self.train(project, "star")
            let report = try Self.report(project, ["plain", "star"])
            for (run, method) in zip(report.runs, ["unolora", "unolora_star"]) {
                #expect(run.source.method == method && run.source.start == "seed" && run.source.notes.isEmpty)
                let name = run.source.name + "/checkpoints/last/adapter/unolora_model.safetensors"
                let file = try SafetensorsFile(path: name)
                for matrix in ["A", "B", "BA"] {
                    for state in ["trained", "minusStart"] {
                        #expect(run.matrices(matrix, state).count == 12, "\(matrix) \(state)")
                    }
                }
                for matrix in run.matrices("A", "trained") + run.matrices("B", "trained") {
                    let norm = try Self.norm(file, "\(matrix.site.name).lora_\(matrix.matrix).weight")
                    #expect(
                        abs(matrix.frobeniusNorm - norm) < 1e-12 * norm && matrix.spectrum?.singularValues.count == 4)
                }
                // B began at 0, so that all of BA is new.
                for (trained, change) in zip(run.matrices("BA", "trained"), run.matrices("BA", "minusStart")) {
                    #expect(
                        trained.spectrum == change.spectrum && trained.frobeniusNorm > 0 && trained.shape == [32, 32])
                }
                for (trained, change) in zip(run.matrices("A", "trained"), run.matrices("A", "minusStart")) {
                    #expect(change.frobeniusNorm > 0 && change.frobeniusNorm < 0.7 * trained.frobeniusNorm)
                }
                #expect(Set(run.measures.correlations.map(\.kind)).contains("decoderCross.v"))
                #expect(run.measures.components.map(\.features).contains("spectrum"))
            }
            let scales = try #require(report.runs[1].scales)
            #expect(report.runs[0].scales == nil && scales.basis == "trainingTexts")
            #expect(scales.tasks.map(\.task) == Self.tasks && scales.tasks.map(\.texts) == [120, 80, 54])
            #expect(scales.tasks.allSatisfy { $0.sites.count == 12 && $0.sites.allSatisfy { $0.mean.count == 4 } })
            #expect(scales.tasks[0].sites[0].deviation.contains { $0 > 0 } && scales.distances.euclidean[0][1] > 0)
            for task in Self.tasks { #expect(report.runs[1].matrices("BA", "minusStart", task: task).count == 12) }
            // Equal seeds begin with equal A's, at all twelve sites.
            let overlaps = report.comparisons[0].overlaps
            #expect(report.comparisons[0].reason == nil && overlaps.count == 4)
            let rows = try #require(overlaps.first { $0.space == "rows" && $0.state == "trained" })
            #expect(rows.sites.count == 12 && rows.sites.allSatisfy { $0.overlap.overlap ?? 0 > 0.5 })
            #expect(rows.sites.allSatisfy { $0.overlap.angles.count == 4 })
        }

        @Test func `all files have the same bytes again, and take the place of earlier ones`() throws {
            let project = try TinyProject()
            try Self.train(project, "star")
            let report = try Self.report(project, ["star"])
            let first = try digests(below: project.file("analysis"))
            #expect(Set(first.keys) == Set(report.files) && first.keys.count { !$0.contains("/") } == 12)
            let page = try String(contentsOfFile: project.file("analysis/report.html"), encoding: .utf8)
            for figure in first.keys where figure.hasPrefix("figures/") {
                #expect(page.contains("<figure id=\"\(figure.dropFirst(8).dropLast(4))\""), "\(figure)")
            }
            _ = try Self.report(project, ["star"], out: "again")
            #expect(try digests(below: project.file("again")) == first)
            // The same run at another step, into the same place.
            #expect(try Self.analyze(project, ["star"], checkpoint: "3").code == 0)
            let other = try digests(below: project.file("analysis"))
            #expect(Set(other.keys) == Set(first.keys) && other["norms.csv"] != first["norms.csv"])
            #expect(try ReadAnalysis(project.file("analysis")).runs[0].source.step == 3)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: project.path).allSatisfy { !$0.hasSuffix(".tmp") })
            let lines = try String(contentsOfFile: project.file("again/spectra.csv"), encoding: .utf8).split(
                separator: "\n")
            #expect(lines[0] == "run,task,site,kind,matrix,state,index,singular_value")
            let last = try #require(lines[1].split(separator: ",").last.map(String.init))
            #expect(Double(last) == report.runs[0].measures.matrices[0].spectrum?.singularValues[0])
        }

        @Test func `an analysis that is stopped while it writes leaves the earlier one`() throws {
            let project = try TinyProject()
            try Self.train(project, "star")
            #expect(try Self.analyze(project, ["star"], checkpoint: "3").code == 0)
            let before = try digests(below: project.file("analysis"))
            for _ in 0..<20 {
                let stopped = try project.stop(
                    ["analyze", project.file("star"), "--checkpoint", "last"], writing: "analysis", with: SIGTERM
                ) { (try? ReadAnalysis(project.file("analysis")).runs[0].source.step) != 3 }
                guard let result = stopped else {
                    #expect(try Self.analyze(project, ["star"], checkpoint: "3").code == 0)
                    continue
                }
                #expect(result.code == 143 && result.seconds < Program.promptly, "\(result)")
                #expect(try digests(below: project.file("analysis")) == before)
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: project.path).allSatisfy {
                        !$0.hasPrefix(".analysis")
                    })
                return
            }
            Issue.record("no analysis could be stopped before its end")
        }

        @Test func `the page names the run's directory, its state, and intervals from its answers`() throws {
            let project = try TinyProject()
            func train(_ run: String, _ more: [String] = []) throws -> Int32 {
                try Program.run(
                    ["train", "--config", project.configuration, "--out", project.file(run), "--set", "train.steps=6"]
                        + more
                ).code
            }
            #expect(try train("задача") == 0 && train("任务", ["--stop-after", "3", "--set", "log.every=1"]) == 85)
            func page(_ runs: [String], in directory: String) throws -> String {
                let result = try Program.run(
                    ["analyze"] + runs + ["--out", project.file("analysis")], directory: project.file(directory))
                #expect(result.code == 0, "\(result.error)")
                return try String(contentsOfFile: project.file("analysis/report.html"), encoding: .utf8)
            }
            let here = try page(["."], in: "задача")
            #expect(here.contains("<h1>Analysis of задача</h1>"))
            // The only task with a test split, and the average.
            let bars = here.matches(of: #/<title>(colour|pair|grade|average)[^<]* \([0-9.−]+ to [0-9.−]+\)<\/title>/#)
            #expect(Set(bars.map(\.output.1)) == ["colour", "average"], "\(bars.count)")
            #expect(here.contains("A bar holds 95 % of 2000 resamples of the examples."))
            let both = try page(["задача", "./任务"], in: "")
            #expect(both.contains("任务 (stopped)") && both.contains("<td>stopped at step 3</td>"))
            #expect(both.contains("<figure id=\"spectra-задача\"") && both.contains("<figure id=\"spectra-任务\""))
            #expect(FileManager.default.fileExists(atPath: project.file("analysis/figures/spectra-任务.svg")))
            try FileManager.default.removeItem(atPath: project.file("задача/answers-test.json"))
            let without = try page(["."], in: "задача")
            #expect(without.contains("No intervals, since no answers are kept"))
        }

        @Test func `a frozen A minus its start is exactly 0`() throws {
            let project = try TinyProject()
            try Self.train(project, "frozen", ["--set", "lora.freezeA=true", "--set", "lora.aInit=kaimingRank"])
            let run = try Self.report(project, ["frozen"]).runs[0]
            #expect(run.matrices("A", "minusStart").allSatisfy { $0.frobeniusNorm == 0 })
            #expect(run.matrices("A", "trained").allSatisfy { $0.frobeniusNorm > 1 })
            #expect(run.matrices("B", "minusStart").allSatisfy { $0.frobeniusNorm > 0 })
        }

        @Test func `ranks that differ have a core, and lora_per_task its tasks`() throws {
            let project = try TinyProject()
            try project.replace("lora: {rank: 4}\n", by: "lora: {rankA: 4, rankB: 2}\n", in: "run.yaml")
            try Self.train(project, "run", ["--set", "method=lora_per_task"])
            let run = try Self.report(project, ["run"]).runs[0]
            for task in Self.tasks {
                #expect(run.matrices("A", "trained", task: task).allSatisfy { $0.shape == [4, 32] })
                #expect(run.matrices("B", "minusStart", task: task).allSatisfy { $0.shape == [32, 2] })
                let updates = run.matrices("BA", "trained", task: task)
                #expect(updates.count == 12 && updates.allSatisfy { $0.spectrum?.singularValues.count == 2 })
            }
            #expect(run.matrices("A", "trained").isEmpty)
            // Three pairs of tasks, two matrices, two states.
            #expect(run.overlaps.count == 12 && run.overlaps.allSatisfy { $0.first.run == $0.second.run })
            #expect(run.overlaps.allSatisfy { $0.first.task != $0.second.task && $0.sites.count == 12 })
        }

        @Test func `a run that began with another one is compared with that, as long as it is there`() throws {
            let project = try TinyProject()
            try Self.train(project, "origin")
            let still = [
                "--set", "lr.peak=1e-37", "--set", "lr.warmup=0", "--set", "optim.weightDecay=0", "--init-from",
                project.file("origin"),
            ]
            try Self.train(project, "warm", still)
            let run = try Self.report(project, ["warm"]).runs[0]
            #expect(run.source.start == "origin")
            #expect(run.matrices("B", "trained").allSatisfy { $0.frobeniusNorm > 0 })
            // Nothing was learned since.
            for matrix in ["A", "B"] {
                #expect(run.matrices(matrix, "minusStart").allSatisfy { $0.frobeniusNorm < 1e-30 }, "\(matrix)")
            }
            for task in [nil, "pair"] {
                for (trained, change) in zip(
                    run.matrices("BA", "trained", task: task), run.matrices("BA", "minusStart", task: task))
                {
                    #expect(change.frobeniusNorm < 1e-12 * trained.frobeniusNorm)
                    #expect(change.spectrum?.singularValues.count == 8)
                }
            }
            try FileManager.default.removeItem(atPath: project.file("origin"))
            let gone = try Self.analyze(project, ["warm"])
            #expect(gone.code == 0 && gone.error.contains("nothing is given minus its start"), "\(gone.error)")
            let without = try ReadAnalysis(project.file("analysis")).runs[0]
            #expect(without.source.start == nil && without.source.notes.count == 1)
            #expect(without.matrices("A", "minusStart").isEmpty && without.matrices("A", "trained").count == 12)
        }

        @Test func `hyperformer_pp has the adapters that it generates, full its weights, and frozen is refused`() throws
        {
            let base = try TinyProject()
            let project = try base.copy(method: "hyperformer_pp")
            try Self.train(project, "run")
            let run = try Self.report(project, ["run"]).runs[0]
            for task in Self.tasks {
                // Two stacks of two blocks, each with two adapters.
                for (matrix, shape) in [("down", [4, 32]), ("up", [32, 4])] {
                    for state in ["trained", "minusStart"] {
                        let found = run.matrices(matrix, state, task: task)
                        #expect(found.count == 8 && found.allSatisfy { $0.shape == shape && $0.frobeniusNorm > 0 })
                    }
                }
            }
            #expect(run.overlaps.count == 12 && run.source.notes.count == 1)
            #expect(Set(run.measures.matrices.map(\.site.kind)).contains("encoderFeedForward.wo"))

            let whole = try base.copy(method: "full")
            try Self.train(whole, "run")
            let full = try Self.report(whole, ["run"]).runs[0]
            let changes = full.matrices("W", "minusStart")
            #expect(full.source.start == "model" && changes.count == full.matrices("W", "trained").count)
            let query = try #require(changes.first { $0.site.name == "encoder.block.1.layer.0.SelfAttention.q" })
            #expect(query.site.kind == "encoderSelf.q" && query.spectrum?.singularValues.count == 32)
            #expect(query.frobeniusNorm > 0 && full.measures.correlations.contains { $0.kind == "decoderCross.v" })
            // Without the model as it was only the trained weights remain.
            try FileManager.default.removeItem(atPath: whole.file("model/model.safetensors"))
            let gone = try Self.analyze(whole, ["run"])
            #expect(gone.code == 0 && gone.error.contains("nothing is given minus its start"), "\(gone.error)")

            try Self.train(base, "nothing", ["--set", "method=frozen"])
            let frozen = try Self.analyze(base, ["nothing"])
            #expect(frozen.code == 78 && frozen.sentences.count == 1, "\(frozen.error)")
            #expect(frozen.error.contains("method frozen, which trains nothing"), "\(frozen.error)")
            #expect(!FileManager.default.fileExists(atPath: base.file("analysis")))
        }

        @Test func `scales that read texts are left out without them, others need none`() throws {
            let project = try TinyProject()
            try Self.train(project, "texts")
            try Self.train(project, "positions", ["--set", "hyper.inputs=[task, position]"])
            for name in ["colour", "pair", "grade"] { try FileManager.default.removeItem(atPath: project.file(name)) }
            let result = try Self.analyze(project, ["texts", "positions"])
            #expect(result.code == 0, "\(result.error)")
            #expect(result.error.contains("scales and BA with scales are not given"), "\(result.error)")
            let runs = try ReadAnalysis(project.file("analysis")).runs
            #expect(runs[0].scales == nil && runs[0].source.notes.count == 1)
            #expect(runs[0].matrices("BA", "trained").count == 12)
            let scales = try #require(runs[1].scales)
            #expect(scales.basis == "anyText" && scales.tasks.allSatisfy { $0.texts == nil })
            #expect(runs[1].matrices("BA", "trained", task: "grade").count == 12)
        }

        @Test func `what cannot be analysed or written is refused in one sentence, and nothing is lost`() throws {
            let project = try TinyProject()
            try Self.train(project, "run", ["--set", "method=unolora"])
            func refused(_ runs: [String], out: String = "analysis", _ code: Int32, _ words: String) throws {
                let result = try Self.analyze(project, runs, out: out)
                #expect(result.code == code && result.sentences.count == 1, "\(result.error)")
                #expect(result.error.contains(words), "\(result.error)")
            }
            try refused(["nowhere"], 66, "is no run directory")
            try refused(["run", "run"], 64, "is given twice")
            try project.write("mine/notes.txt", "mine")
            try refused(["run"], out: "mine", 74, "holds something else than an analysis, such as notes.txt")
            try refused(["run"], out: "run.yaml", 74, "is not a directory")
            #expect(try Self.analyze(project, ["run"]).code == 0)
            try project.write("analysis/notes.txt", "mine")
            try refused(["run"], 74, "holds notes.txt, which is no part of the analysis there")
            #expect(try FileManager.default.contentsOfDirectory(atPath: project.file("mine")) == ["notes.txt"])
            try FileManager.default.removeItem(atPath: project.file("analysis/notes.txt"))
            try project.write("analysis/figures/mine.svg", "mine")
            try refused(["run"], 74, "holds figures/mine.svg, which is no part of the analysis there")
            let ranks = try Program.run(["analyze", project.file("run"), "--out", project.file("ranks")], ranks: 2)
            #expect(ranks.code != 0 && ranks.error.contains("analyze runs as one process"), "\(ranks.error)")
            // Weights that are whole but not finite, as no run writes them.
            let weights = project.file("run/checkpoints/step-00000003/adapter/unolora_model.safetensors")
            let name = "decoder.block.0.layer.1.EncDecAttention.q.lora_B.weight"
            let file = try RawSafetensors(weights)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: weights))
            let place = bytes.count - file.data.count + file.offsets(name)[0] + 4 * 5
            bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0xC0, 0x7F])
            try bytes.write(to: URL(fileURLWithPath: weights))
            try Self.accept(weights, in: project.file("run/checkpoints/step-00000003"))
            let infinite = try Self.analyze(project, ["run"], out: "new", checkpoint: "3")
            #expect(infinite.code == 65 && infinite.sentences.count == 1, "\(infinite.error)")
            #expect(infinite.error.contains("element 5 of tensor \(name) is not a finite number"), "\(infinite.error)")
            let damaged = project.file("run/checkpoints/step-00000006/adapter/unolora_model.safetensors")
            try FileHandle(forWritingTo: URL(fileURLWithPath: damaged)).truncate(atOffset: 100)
            try refused(["run"], out: "new", 65, "unolora_model.safetensors")
            #expect(!FileManager.default.fileExists(atPath: project.file("new")))
        }

        @Test func `runs of other models are not compared, and the reason is there`() throws {
            let project = try TinyProject()
            try Self.train(project, "run", ["--set", "method=unolora"])
            let other = try project.copy()
            try FileManager.default.removeItem(atPath: other.file("run"))
            var model = try RawSafetensors(other.file("model/model.safetensors"))
            model.data[0] ^= 1
            try model.write()
            try Self.train(other, "other", ["--set", "method=unolora"])
            let both = try Program.run([
                "analyze", project.file("run"), other.file("other"), "--checkpoint", "last", "--out",
                project.file("both"),
            ])
            #expect(both.code == 0 && both.error.contains("different models"), "\(both.error)")
            let comparison = try #require(try ReadAnalysis(project.file("both")).comparisons.first)
            #expect(comparison.reason == "they were trained on different models" && comparison.overlaps.isEmpty)
        }
    }
}
