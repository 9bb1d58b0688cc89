import Foundation
import Testing
import Text

extension ProgramTests.EvaluateOtherDataTests {
    /// A run of MRPC, STS-B and a task of its own, with a vocabulary that has all digits.
    static let shared = Swift.Result {
        let project = try TinyProject()
        let texts = try ["colour/train.tsv", "grade/train.tsv"].map {
            try String(contentsOfFile: project.file($0), encoding: .utf8)
        }
        let digits = ["0 1 2 3 4 5 6 7 8 9 0.2 1.4 2.6 3.8 red blue"]
        try VocabularyTrainer.train(
            sentences: digits + texts.joined().split(separator: "\n").map(String.init), pieces: 60,
            to: project.file("model/spiece.model"))
        try project.write("glue/MRPC/train.tsv", paraphrases(0..<60, end: "\n"))
        try project.write("glue/MRPC/dev.tsv", paraphrases(60..<84, end: "\n"))
        try project.write("glue/STS-B/train.tsv", similarities(0..<60))
        try project.write("glue/STS-B/dev.tsv", similarities(60..<84))
        let yaml = try String(contentsOfFile: project.configuration, encoding: .utf8)
        let start = try #require(yaml.range(of: "  - name: pair"))
        let end = try #require(yaml.range(of: "lora: {rank: 4}"))
        let tasks = yaml.replacing(yaml[start.lowerBound..<end.lowerBound], with: "")
            .replacing("tasks:\n", with: "data: {glue: glue}\ntasks:\n  - mrpc\n  - stsb\n")
        try project.write("run.yaml", tasks)
        // The official form: a byte order mark, and lines that end with CR and LF; quotes are text.
        try project.write("msr_paraphrase_test.txt", "\u{FEFF}" + paraphrases(100..<131, end: "\r\n"))
        try project.write("official.yaml", "tasks:\n  - {name: mrpc, test: msr_paraphrase_test.txt}\n")
        try project.write("sts-test.csv", published(200..<225))
        try project.write(
            "sts.yaml",
            """
            tasks:
              - name: stsb
                test: sts-test.csv
                format: tsv
                header: false
                columns: [genre, file, year, index, score, sentence1, sentence2]
                ragged: true

            """)
        try project.write("sts-glue.tsv", similarities(200..<225))
        try project.write("sts-glue.yaml", "tasks:\n  - {name: stsb, test: sts-glue.tsv}\n")
        let result = try Program.run(project.train())
        #expect(result.code == 0, "\(result.error)")
        return project
    }

    static let words = ["baran", "cesel", "ditim", "fovok", "guwun", "hazar", "likel", "moran"]

    static func text(_ row: Int) -> String {
        (0..<4).map { words[(row * 7 + $0 * (row % 5 + 1)) % 8] }.joined(separator: " ") + " \(row % 10)"
    }

    static func paraphrases(_ rows: Range<Int>, end: String) -> String {
        "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\(end)"
            + rows.map { row in
                let label = row % 3 == 0 ? 0 : 1
                return "\(label)\t\(row)\t\(row + 1)\t\"\(text(row))\t\(text(row + 1 - label))\(end)"
            }.joined()
    }

    static func similarities(_ rows: Range<Int>) -> String {
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
            + rows.map { row in
                "\(row)\tmain\tf\t2012\t\(row)\tnone\tnone\t\(text(row))\t\(text(row + row % 3))\t\(score(row))\n"
            }.joined()
    }

    /// The form in which the benchmark itself publishes its test: without header, and some rows have a source at the end.
    static func published(_ rows: Range<Int>) -> String {
        rows.map { row in
            "main-news\tMSRpar\t2012test\t\(row)\t\(score(row))\t\(text(row))\t\(text(row + row % 3))"
                + (row % 4 == 0 ? "\thttp://a\thttp://b\n" : "\n")
        }.joined()
    }

    static func score(_ row: Int) -> String { String(format: "%.3f", Double(row % 26) / 5) }
}
