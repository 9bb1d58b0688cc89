import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite struct DataRefusalTests {
        private static let project = Swift.Result { try TinyProject() }

        /// Appends a line to a file of the project.
        private static func row(
            _ name: String, _ text: String, to file: String, says: [String], code: Int32 = 65
        ) -> Refusal {
            Refusal(
                name: name,
                damage: { project in
                    let old = try String(contentsOfFile: project.file(file), encoding: .utf8)
                    try project.write(file, old + text + "\n")
                }, code: code, says: [file] + says)
        }

        private static let refusals: [Refusal] = [
            row(
                "a row with too few columns", "only text", to: "colour/train.tsv",
                says: [":122:", "1 column", "data.onBadRow: skip"]),
            row(
                "a row with too many columns", "text\tr\tmore", to: "colour/train.tsv",
                says: [":122:", "3 columns", "correct the row"]),
            row(
                "a label outside the map", "baran basel\tgreen", to: "colour/train.tsv",
                says: [":122:", "\"green\"", "correct it or add it to the task"]),
            row(
                "a bad row of a validation file", "baran basel\tgreen", to: "colour/validation.tsv",
                says: [":32:", "\"green\""]),
            row(
                "a row that is not JSON", "{\"first\": ", to: "pair/train.jsonl",
                says: [":101:", "not a JSON object", "correct the row"]),
            row(
                "a JSON row without a field", "{\"first\": \"baran\", \"same\": true}", to: "pair/train.jsonl",
                says: [":101:", "no key \"second\""]),
            row("a score out of range", "baran\t9", to: "grade/train.tsv", says: [":71:", "9", "outside of 0"]),
            row(
                "a score that is no number", "baran\tnan", to: "grade/train.tsv",
                says: [":71:", "\"nan\" is not a number"]),
            Refusal(
                name: "a task without rows", damage: { try $0.write("colour/train.tsv", "sentence\tlabel\n") },
                code: 65,
                says: ["colour/train.tsv", "no usable row", "give a file with rows"]),
            Refusal(
                name: "an empty file", damage: { try $0.write("pair/train.jsonl", "") }, code: 65,
                says: ["pair/train.jsonl is empty", "give a file with rows"]),
            Refusal(
                name: "one JSON array in the place of a row on each line",
                damage: { try $0.write("pair/train.jsonl", "[{\"first\": \"a\",\n\"second\": \"b\"}]\n") }, code: 65,
                says: ["pair/train.jsonl is one JSON array", "jq -c"]),
            Refusal(
                name: "a hold-out that leaves nothing",
                damage: { try $0.replace("holdOut: 20", by: "holdOut: 100", in: "run.yaml") }, code: 65,
                says: ["\"pair\"", "leaves no training examples", "hold fewer out"]),
            Refusal(
                name: "a header without the column",
                damage: { try $0.replace("sentence\t", by: "text\t", in: "colour/train.tsv") },
                code: 65, says: ["colour/train.tsv:1:", "no column \"sentence\"", "\"text\""]),
            Refusal(
                name: "a missing file",
                damage: { try FileManager.default.removeItem(atPath: $0.file("pair/train.jsonl")) },
                code: 66, says: ["pair/train.jsonl"]),
            Refusal(
                name: "one file as training and validation",
                damage: { try $0.replace("colour/validation.tsv", by: "colour/train.tsv", in: "run.yaml") }, code: 65,
                says: ["\"colour\"", "colour/train.tsv", "both train and validation"]),
        ]

        @Test(arguments: refusals)
        func `malformed data is refused in one sentence`(refusal: Refusal) throws {
            try refusal.check(Self.project.get())
        }

        @Test func `bad rows are left out when the configuration says so`() throws {
            let project = try Self.project.get().copy()
            let rows = try String(contentsOfFile: project.file("colour/train.tsv"), encoding: .utf8)
            try project.write("colour/train.tsv", rows + "only text\nbaran basel\tgreen\n")
            let arguments = ["train", "--config", "run.yaml", "--out", "run", "--set", "data.onBadRow=skip"]
            // The second start finds the cache of the first, and must report the same.
            for step in ["1", "2"] {
                let result = try Program.run(arguments + ["--stop-after", step], directory: project.path)
                #expect(result.code == 85, "\(result.error)")
                let notices = result.output.split(separator: "\n").filter { $0.hasPrefix("data: ") }
                let said = notices.first { $0.hasPrefix("data: colour: 2 bad rows left out (the first is train.tsv:") }
                #expect(said != nil, "\(result.output)")
            }
        }
    }
}
