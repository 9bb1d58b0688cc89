import TestSupport

/// Small files in the format of GLUE's own download, with its quirks.
struct GLUEFixture {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for (name, text) in Self.files { try directory.write(name, text) }
    }

    var path: String { directory.path }

    static let files: [String: String] = [
        "CoLA/train.tsv": "gj04\t1\t\tThey \"won't\" buy it.\ngj04\t0\t*\tThem buys it.\r\nl-93\t1\t\tHe left.\n",
        // The last row has no line end, as in the real file.
        "CoLA/dev.tsv": (1...5).map { "gj04\t\($0 % 2)\t\tSentence \($0)." }.joined(separator: "\n"),
        "SST-2/train.tsv": header("sentence", "label") + (1...1010).map { "row \($0) \t\($0 % 2)\n" }.joined(),
        "SST-2/dev.tsv": header("sentence", "label") + "fine \t1\nbad \t0\n",
        // A byte order mark before the header, and quotes that are not closed.
        "MRPC/train.tsv": "\u{FEFF}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
            + "1\t1\t2\t\"Open quote.\t\"Other.\n0\t3\t4\tA\tB\n",
        "MRPC/dev.tsv": "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t5\t6\tC\tD\n0\t7\t8\tE\tF\n",
        "QQP/train.tsv": header("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
            + "1\t1\t2\tbroken \n row\tand more\t0\n"
            + (1...1003).map { "\($0)\t1\t2\tWhy \($0)?\tHow \($0)?\t\($0 % 2)\n" }.joined(),
        "QQP/dev.tsv": header("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
            + "1\t1\t2\tWho?\tWho is it?\t1\n",
        "STS-B/train.tsv": stsb + "0\tg\tf\ty\t1\ts\ts\tA plane.\tAn air plane.\t5.000\n"
            + "1\tg\tf\ty\t1\ts\ts\tA man.\tA dog.\t0.500\n2\tg\tf\ty\t1\ts\ts\tA man.\tA boy.\t2.3999999999999999\n",
        "STS-B/dev.tsv": stsb + "0\tg\tf\ty\t1\ts\ts\tA\tB\t0.00\n1\tg\tf\ty\t1\ts\ts\tC\tD\t3.70\n",
        "MNLI/train.tsv": mnli("label1")
            + (1...1005).map { mnliRow($0, "x\t\(["entailment", "neutral", "contradiction"][$0 % 3])") }.joined()
            + mnliRow(2000, "x\t-"),
        "MNLI/dev_matched.tsv": mnli("label1", "label2") + mnliRow(1, "x\ty\tneutral") + mnliRow(2, "x\ty\t-"),
        "QNLI/train.tsv": header("index", "question", "sentence", "label")
            + (1...1002).map { "\($0)\tWho \($0)?\tHe.\t\($0 % 2 == 0 ? "not_entailment" : "entailment")\n" }.joined(),
        "QNLI/dev.tsv": header("index", "question", "sentence", "label") + "0\tWhat?\tThat.\tentailment\n",
        "RTE/train.tsv": header("index", "sentence1", "sentence2", "label") + "0\tA.\tB.\tnot_entailment\n",
        "RTE/dev.tsv": header("index", "sentence1", "sentence2", "label")
            + "0\tC.\tD.\tentailment\n1\tE.\tF.\tnot_entailment\n2\tG.\tH.\tentailment\n",
        "WNLI/train.tsv": header("index", "sentence1", "sentence2", "label") + "0\tI stuck a pin.\tIt had a hole.\t1\n",
        "WNLI/dev.tsv": header("index", "sentence1", "sentence2", "label") + "0\tA\tB\t0\n1\tC\tD\t1\n",
    ]

    private static func header(_ columns: String...) -> String { columns.joined(separator: "\t") + "\n" }
    private static let stsb = header(
        "index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1", "sentence2", "score")
    static func mnli(_ labels: String...) -> String {
        "index\tgenre\tsentence1_parse\tsentence1\tsentence2\t" + labels.joined(separator: "\t") + "\tgold_label\n"
    }
    static func mnliRow(_ index: Int, _ labels: String) -> String {
        "\(index)\tfiction\t( x )\tPremise \(index).\tHypothesis \(index).\t\(labels)\n"
    }
}
