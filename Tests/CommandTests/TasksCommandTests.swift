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
