import Foundation
import Synchronization
import Tensors
import TestSupport
import Testing

extension ProgramTests {
    /// `export` on trained runs.
    @Suite struct ExportCommandTests {
        private static func train(
            _ project: TinyProject, _ run: String, _ arguments: [String]
        ) throws -> Program.Result {
            try Program.run(
                ["train", "--config", project.configuration, "--out", project.file(run), "--set", "eval.atEnd=false"]
                    + arguments)
        }

        private static func export(
            _ project: TinyProject, _ format: String, _ arguments: [String] = [], to out: String = "out"
        ) throws -> Program.Result {
            try Program.run(
                ["export", project.file("run"), "--format", format, "--out", project.file(out), "--checkpoint", "last"]
                    + arguments)
        }

        private static func names(_ path: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        }

        private static let projects = Mutex([String: TinyProject]())

        /// A run of a method with large updates, of a project that tests share unless it is `own`; without what they exported.
        private static func trained(
            _ method: String, _ arguments: [String] = [], own: Bool = false
        ) throws -> TinyProject {
            let key = ([method] + arguments).joined(separator: " ")
            if !own, let known = projects.withLock({ $0[key] }) {
                for name in ["out", "peft", "merged", "again"] {
                    try? FileManager.default.removeItem(atPath: known.file(name))
                }
                return known
            }
            let project = try TinyProject()
            let result = try train(
                project, "run",
                ["--set", "method=\(method)", "--set", "lr.peak=\(method == "full" ? "1e-3" : "5e-2")"] + arguments)
            #expect(result.code == 0, "\(result.error)")
            if !own { projects.withLock { $0[key] = project } }
            return project
        }

        private static let peft = ["README.md", "adapter_config.json", "adapter_model.safetensors"]
        private static let merged = ["README.md", "config.json", "model.safetensors", "spiece.model"]
        private static let native = ["README.md", "unolora_adapter.safetensors"]
        private static let all = ["colour", "grade", "pair"]

        @Test(arguments: [
            ("unolora", [String]()), ("unolora", ["--set", "lora.rank=4", "--set", "lora.rankB=2"]),
            ("lora_per_task", []), ("unolora_star", []),
        ])
        func `every format of a low-rank method is whole, and what it costs is said`(
            method: String, arguments: [String]
        ) throws {
            let project = try Self.trained(method, arguments)
            let isShared = method == "unolora"
            for (format, files) in [("peft", Self.peft), ("merged", Self.merged)] {
                let result = try Self.export(project, format, ["--base-name", "me/base"], to: format)
                #expect(result.code == 0, "\(result.error)")
                let place = project.file(format)
                #expect(try Self.names(place) == (isShared ? files : Self.all))
                for task in isShared ? [""] : Self.all {
                    #expect(try Self.names("\(place)/\(task)") == files)
                    let card = try String(contentsOfFile: "\(place)/\(task)/README.md", encoding: .utf8)
                    #expect(card.hasPrefix("---\nbase_model: \"me/base\"\n"))
                    #expect(!card.contains(project.path))
                    let shown = isShared ? Self.all : [task]
                    #expect(Self.all.allSatisfy { card.contains("- **\($0)**") == shown.contains($0) })
                    let isMeasured = format == "merged" || method == "unolora_star"
                    #expect(card.contains("## Measured") == isMeasured)
                    // What is printed is in the card.
                    for line in result.output.split(separator: "\n") where line.contains(" answers differ") {
                        #expect(!shown.contains { line.hasPrefix($0 + ":") } || card.contains(line))
                    }
                }
                let measured = result.output.split(separator: "\n").filter { $0.contains(" -> ") }
                #expect(measured.count == (format == "merged" || method == "unolora_star" ? 3 : 0), "\(result.output)")
                if format == "merged" {
                    #expect(result.output.contains("rounding to F32 changes the update of a weight by at most"))
                    // Only the scales of unolora_star make the merged model another one.
                    for line in measured where method != "unolora_star" {
                        #expect(line.contains("; 0 of"), "\(line)")
                    }
                }
            }
            #expect(try Self.names(project.path).allSatisfy { !$0.hasSuffix(".tmp") })
        }

        @Test func `one task, and measuring nothing`() throws {
            let project = try Self.trained("lora_per_task")
            let result = try Self.export(project, "merged", ["--task", "pair", "--no-measure"])
            #expect(result.code == 0 && !result.output.contains("->"), "\(result)")
            #expect(try Self.names(project.file("out")) == ["pair"])
            let card = try String(contentsOfFile: project.file("out/pair/README.md"), encoding: .utf8)
            #expect(card.contains("was not measured (--no-measure)") && card.contains("# base_model:"))
            #expect(result.output.contains("the base has no name but its path"))
        }

        @Test(arguments: ["unolora", "unolora_star", "lora_per_task", "hyperformer_pp", "full"])
        func `a run that begins with the native file has the same bits`(method: String) throws {
            let project = try Self.trained(method)
            let result = try Self.export(project, "native")
            #expect(result.code == 0, "\(result.error)")
            #expect(try Self.names(project.file("out")) == Self.native)
            let again = try Self.still(project, method, from: "out/unolora_adapter.safetensors")
            #expect(try again == Outcome(run: project.file("run")).adapter)
        }

        @Test func `a run that begins with the adapter for PEFT has the same bits`() throws {
            let project = try Self.trained("unolora")
            #expect(try Self.export(project, "peft").code == 0)
            let again = try Self.still(project, "unolora", from: "out")
            #expect(try again == Outcome(run: project.file("run")).adapter)
        }

        /// The digest of the adapter after a step that leaves the weights as they are.
        private static func still(_ project: TinyProject, _ method: String, from: String) throws -> String {
            let result = try train(
                project, "again",
                [
                    "--init-from", project.file(from), "--set", "method=\(method)", "--set", "lr.peak=1e-37", "--set",
                    "lr.warmup=0", "--set", "optim.weightDecay=0", "--set", "train.steps=1", "--set", "eval.every=null",
                ])
            #expect(result.code == 0, "\(result.error)")
            return try Outcome(run: project.file("again")).adapter
        }

        @Test func `the merged model of full fine-tuning is the trained one`() throws {
            let project = try Self.trained("full")
            let result = try Self.export(project, "merged")
            #expect(result.code == 0, "\(result.error)")
            let merged = try SafetensorsFile(path: project.file("out/model.safetensors"))
            let trained = try SafetensorsFile(path: project.file("run/checkpoints/last/adapter/model.safetensors"))
            for tensor in trained.tensors {
                #expect(try merged.readFloats(named: tensor.name) == trained.readFloats(named: tensor.name))
            }
            #expect(merged.tensors.count == trained.tensors.count)
        }

        @Test func `what cannot be exported is refused with what to use, and leaves nothing`() throws {
            let project = try Self.trained("hyperformer_pp")
            for (arguments, code, sentence) in [
                (
                    ["peft"], 78,
                    "cannot be exported as peft: its adapters are no update of the weights; use --format native"
                ),
                (["merged"], 78, "cannot be exported as merged"),
                (["native", "--task", "pair"], 64, "leave out --task"),
                (["native", "--task", "other"], 64, "none of the run's"),
                (["native", "--checkpoint", "99"], 66, "there is no checkpoint of step 99"),
            ] as [([String], Int32, String)] {
                let result = try Program.run(
                    ["export", project.file("run"), "--out", project.file("out"), "--checkpoint", "last", "--format"]
                        + arguments)
                #expect(result.code == code && result.error.contains(sentence), "\(result)")
            }
            let shared = try Self.trained("unolora", own: true)
            let result = try Self.export(shared, "peft", ["--task", "pair"])
            #expect(result.code == 64 && result.error.contains("one adapter for all tasks"), "\(result)")
            let whole = try Self.trained("full")
            let refused = try Self.export(whole, "peft")
            #expect(refused.code == 78 && refused.error.contains("use --format merged"), "\(refused)")
            for project in [project, shared, whole] {
                #expect(try Self.names(project.path).allSatisfy { $0 != "out" && !$0.hasSuffix(".tmp") })
            }
            try shared.write("there/file", "kept")
            let there = try Self.export(shared, "peft", to: "there")
            #expect(there.code == 74 && there.error.contains("there exists; choose another --out"), "\(there)")
            #expect(try Self.names(shared.file("there")) == ["file"])
            let ranks = try Program.run(
                ["export", shared.file("run"), "--format", "peft", "--out", shared.file("out")], ranks: 2)
            #expect(ranks.error.contains("export runs as one process"), "\(ranks)")
        }

        @Test func `without its data a run is exported as far as nothing needs it`() throws {
            let project = try Self.trained("unolora", own: true)
            for name in ["colour", "pair", "grade", "run/cache"] {
                try? FileManager.default.removeItem(atPath: project.file(name))
            }
            #expect(try Self.export(project, "peft", to: "peft").code == 0)
            let refused = try Self.export(project, "merged", to: "merged")
            #expect(refused.code == 66, "\(refused)")
            #expect(try Self.export(project, "merged", ["--no-measure"], to: "merged").code == 0)
        }

        @Test(.enabled(if: SmallDisk.isAvailable, "mounting a small tmpfs needs root with the right to mount"))
        func `an export for which the disk is too small leaves nothing behind`() throws {
            let project = try Self.trained("unolora")
            let disk = try SmallDisk(kilobytes: 128)
            let failed = try Program.run([
                "export", project.file("run"), "--format", "merged", "--no-measure", "--out", disk.path + "/out",
                "--checkpoint", "last",
            ])
            #expect(failed.code == 74 && failed.error.contains("free space"), "\(failed)")
            #expect(try Self.names(disk.path).isEmpty)
        }

        @Test(arguments: [(SIGTERM, 143), (SIGINT, 130)] as [(Int32, Int32)])
        func `a stopped export leaves nothing behind`(signal: Int32, code: Int32) throws {
            let project = try Self.trained("unolora")
            // On a busy machine an export may have ended before the test sees that it has begun to write: then another one starts.
            for attempt in 0..<20 {
                let out = "out-\(attempt)"
                let stopped = try project.stop(
                    ["export", project.file("run"), "--format", "merged", "--checkpoint", "last"], writing: out,
                    with: signal
                ) { FileManager.default.fileExists(atPath: project.file(out)) }
                guard let result = stopped else { continue }
                #expect(result.code == code && result.seconds < Program.promptly, "\(result)")
                let names = try Self.names(project.path)
                #expect(!names.contains(out) && !names.contains { $0.hasPrefix(".out-") })
                return
            }
            Issue.record("no export could be stopped before its end")
        }

        @Test func `what a killed export left is removed by the next one`() throws {
            let project = try Self.trained("unolora", own: true)
            let host = ProcessInfo.processInfo.hostName
            try project.write(".out.\(host)-999999999-1.tmp/model.safetensors", "half")
            try project.write(".out.\(host)-1-1.tmp/model.safetensors", "of a process that lives")
            #expect(try Self.export(project, "peft").code == 0)
            #expect(try Self.names(project.path).filter { $0.hasSuffix(".tmp") } == [".out.\(host)-1-1.tmp"])
        }
    }
}
