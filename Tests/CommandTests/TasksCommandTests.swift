import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `tasks` and `tasks describe`.
    @Suite struct TasksCommandTests {
        @Test func `the built-in tasks are listed with files, labels and figures`() throws {
            let result = try Program.run(["tasks"])
            #expect(result.code == 0 && result.error.isEmpty, "\(result.error)")
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == 17, "\(result.output)")
            #expect(
                result.output.contains(
                    #/\ncola +GLUE +CoLA: train.tsv 8551, dev.tsv 1043 +0, 1 +matthews\n/#), "\(result.output)")
            #expect(
                result.output.contains(
                    #/\nrte +GLUE +RTE: .* entailment \(0\), not_entailment \(1\) +accuracy\n/#), "\(result.output)")
            #expect(
                result.output.contains(#/\nwsc +SuperGLUE +WSC: train.jsonl 554, val.jsonl 104 /#), "\(result.output)")
        }

        @Test func `a description of a file is an entry that prepare reads`() throws {
            let project = try TinyProject()
            let described = try Program.run(["tasks", "describe", project.file("colour/train.tsv")])
            #expect(described.code == 0, "\(described.error)")
            #expect(
                described.output.contains("\n  - name: colour\n") && described.output.contains("\n# colour sentence: "))
            try project.write("own.yaml", "model: \(project.file("model"))\n" + described.output)
            let prepared = try Program.run([
                "prepare", "--config", project.file("own.yaml"), "--out", project.file("own"),
            ])
            #expect(prepared.code == 0, "\(prepared.error)")
            #expect(prepared.output.contains(#/\ncolour +train +108 /#), "\(prepared.output)")
        }

        /// Names of built-in tasks, and labels that YAML would take for something else, of pieces that the vocabulary has.
        @Test(arguments: [
            ("RTE/train.tsv", "sentence1\tlabel\n", "\t", ["same", "other"]),
            ("CB/train.csv", "text,label\n", ",", ["no", "1.0"]), ("own/data.tsv", "", "\t", ["a: b", "no: {c}"]),
            ("own/train.csv.gz", "#1 String,label\n", ",", ["{a}", "null"]),
        ])
        func `what is described of a file with odd names and labels, prepare reads`(
            name: String, header: String, separator: String, labels: [String]
        ) throws {
            let project = try TinyProject()
            let text = header + (0..<20).map { "A text \($0)\(separator)\(labels[$0 % 2])\n" }.joined()
            if name.hasSuffix(".gz") { try project.writePacked(name, text) } else { try project.write(name, text) }
            try Self.prepare(project, project.file(name))
        }

        @Test func `a list of texts in objects is described as answers that are all right`() throws {
            let project = try TinyProject()
            let rows = (0..<20).map {
                "{\"about\": {\"question\": \"Who is \($0)\"}, \"answers\": [\"no \($0)\", \"none\"]}\n"
            }
            let described = try Self.prepare(project, try project.write("qa.jsonl", rows.joined()))
            #expect(described.contains("\n    fields: [about.question]\n    target: answers\n"), "\(described)")
            #expect(described.contains("\n# qa about.question: Who is 0 -> no 0\n"), "\(described)")
        }

        /// Prepares a task as it is described; returns the description.
        @discardableResult
        private static func prepare(_ project: TinyProject, _ file: String) throws -> String {
            let described = try Program.run(["tasks", "describe", file])
            #expect(described.code == 0, "\(described.error)")
            try project.write("own.yaml", "model: \(project.file("model"))\n" + described.output)
            let prepared = try Program.run([
                "prepare", "--config", project.file("own.yaml"), "--out", project.file("own-run"),
            ])
            #expect(prepared.code == 0, "\(described.output)\(prepared.error)")
            return described.output
        }

        @Test(arguments: ["a b", "rte", "mnli_matched", ""]) func `a name that no task may have is refused`(
            name: String
        ) throws {
            let project = try TinyProject()
            let file = project.file("colour/train.tsv")
            let result = try Program.run(["tasks", "describe", file, "--name", name])
            #expect(result.code == 64 && result.output.isEmpty && result.error.contains("name"), "\(result)")
            // An own task may have a name of SuperGLUE's.
            let cb = try Program.run(["tasks", "describe", file, "--name", "cb"])
            #expect(cb.code == 0 && cb.output.contains("\n  - name: cb\n"), "\(cb)")
        }

        @Test(
            arguments: [(["absent.tsv"], 66), (["run.yaml"], 64), (["run.yaml", "--format", "csv"], 65)]
                as [([String], Int32)])
        func `what cannot be described is refused`(arguments: [String], code: Int32) throws {
            let project = try TinyProject()
            let result = try Program.run(["tasks", "describe", project.file(arguments[0])] + arguments.dropFirst())
            #expect(result.code == code && result.sentences.count == 1, "\(result.error)")
        }
    }
}
