import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Tasks of the user's own whose files are not plain tables, through all commands.
    @Suite struct CustomFileTests {
        private static let few = ["train.steps=3", "lr.warmup=0", "eval.every=null"].flatMap { ["--set", $0] }

        /// The tiny project with one task in the place of its own.
        private static func project(_ task: String) throws -> TinyProject {
            let project = try TinyProject()
            let yaml = try String(contentsOfFile: project.configuration, encoding: .utf8)
            let start = try #require(yaml.range(of: "  - name: colour"))
            let end = try #require(yaml.range(of: "lora: {rank: 4}"))
            try project.write("run.yaml", yaml.replacing(yaml[start.lowerBound..<end.lowerBound], with: task))
            return project
        }

        private static func text(_ row: Int) -> String { "baran cesel \(row % 3 == 0 ? "ditim" : "fovok") \(row)" }

        @Test func `nested fields and braces in a template are what the model reads, and what predict takes`() throws {
            func entry(_ fields: String, _ template: String, _ label: String) -> String {
                """
                  - name: deep
                    train: deep.jsonl
                    holdOut: {validation: 9, test: 9}
                    fields: [\(fields)]
                    template: "\(template)"
                    label: \(label)
                    labels: ["0", "1"]

                """
            }
            let nested = try Self.project(
                entry("doc.text, doc.by.name", "deep {{doc}} {doc.text} {{{doc.by.name}}}", "meta.label"))
            let flat = try Self.project(entry("text, name", "deep {{doc}} {text} {{{name}}}", "label"))
            try nested.write(
                "deep.jsonl",
                (0..<60).map {
                    "{\"meta\": {\"label\": \($0 % 2)}, \"doc\": {\"by\": {\"name\": \"hazar\"}, \"text\": \"\(Self.text($0))\"}}\n"
                }.joined())
            try flat.write(
                "deep.jsonl",
                (0..<60).map { "{\"text\": \"\(Self.text($0))\", \"name\": \"hazar\", \"label\": \($0 % 2)}\n" }
                    .joined())
            for project in [nested, flat] {
                let result = try Program.run(project.train(Self.few))
                #expect(result.code == 0, "\(result.error)")
            }
            #expect(try Outcome(run: nested.file("run")) == Outcome(run: flat.file("run")))
            let input = try nested.write(
                "in", "{\"doc\": {\"text\": \"\(Self.text(3))\", \"by\": {\"name\": \"hazar\"}}}\n")
            let plain = try flat.write("in", "{\"text\": \"\(Self.text(3))\", \"name\": \"hazar\"}\n")
            let deep = try Program.run(["predict", nested.file("run"), "--task", "deep", "--input", input, "--scores"])
            let same = try Program.run(["predict", flat.file("run"), "--task", "deep", "--input", plain, "--scores"])
            #expect(deep.code == 0 && deep.output == same.output && !deep.output.isEmpty, "\(deep)")
            let absent = try nested.write("absent", "{\"doc\": {\"text\": \"a\"}}\n")
            let bad = try Program.run(["predict", nested.file("run"), "--task", "deep", "--input", absent])
            #expect(bad.code == 65 && bad.output.contains("name"), "\(bad)")
        }

        @Test func `rows that are held out as test are evaluated, and no row is in two splits or lost`() throws {
            let project = try Self.project(
                """
                  - name: held
                    train: held.tsv.gz
                    holdOut: {validation: 11, test: 13}
                    fields: [text]
                    labels: ["0", "1"]

                """)
            try project.writePacked(
                "held.tsv.gz", "text\tlabel\n" + (0..<60).map { "\(Self.text($0))\t\($0 % 2)\n" }.joined())
            let trained = try Program.run(project.train(Self.few))
            #expect(trained.code == 0, "\(trained.error)")
            for (split, count) in [("test", 13), ("validation", 11), ("train", 36)] {
                let result = try Program.run(["evaluate", project.file("run"), "--split", split, "--json"])
                #expect(result.code == 0, "\(result.error)")
                let evaluation = try JSONDecoder().decode(
                    EvaluateOtherDataTests.Evaluation.self, from: Data(result.output.utf8))
                let held = try #require(evaluation.tasks["held"])
                #expect(held.examples == count && held.baselineOf == "train")
                let splits = try #require(held.splits)
                #expect(splits.map(\.split) == ["train", "validation", "test"])
                #expect(splits.map(\.examples) == [36, 11, 13])
                #expect(
                    splits.map(\.rows) == ["all rows", "11 rows held out of training", "13 rows held out of training"])
                #expect(splits[0].files.map(\.name) == ["held.tsv.gz"])
                // No task of a benchmark, so there is no rule of its splits.
                #expect(evaluation.glueSplits == nil)
            }
        }
    }
}

extension TinyProject {
    /// Writes a text packed with gzip.
    func writePacked(_ name: String, _ text: String) throws {
        let plain = try write(String(name.dropLast(".gz".count)), text)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-f", plain]
        try process.run()
        process.waitUntilExit()
        precondition(process.terminationStatus == 0, "gzip failed")
    }
}
