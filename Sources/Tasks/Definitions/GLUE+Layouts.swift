extension GLUE {
    /// The layout of a task; nil when there is no such task.
    static func layout(of name: String) -> SuiteLayout? {
        singleSentence(name) ?? similarity(name) ?? inference(name)
    }

    private static func singleSentence(_ name: String) -> SuiteLayout? {
        switch name {
        case "cola":
            // Columns: source, label, the author's own mark, sentence.
            SuiteLayout(
                folder: "CoLA", fields: [Field("sentence", column: .index(3))], labels: ["0", "1"],
                words: ["unacceptable", "acceptable"], metrics: [.matthews], label: .index(1), columns: 4)
        case "sst2":
            SuiteLayout(
                folder: "SST-2", fields: [Field("sentence")], labels: ["0", "1"], words: ["negative", "positive"],
                metrics: [.accuracy])
        default: nil
        }
    }

    private static func similarity(_ name: String) -> SuiteLayout? {
        switch name {
        case "mrpc":
            SuiteLayout(
                folder: "MRPC",
                fields: [
                    Field("sentence1", column: .named("#1 String")), Field("sentence2", column: .named("#2 String")),
                ], labels: ["0", "1"], words: ["not_equivalent", "equivalent"], metrics: [.accuracy, .f1],
                label: .named("Quality"))
        case "qqp":
            SuiteLayout(
                folder: "QQP", fields: [Field("question1"), Field("question2")], labels: ["0", "1"],
                words: ["not_duplicate", "duplicate"], metrics: [.accuracy, .f1], label: .named("is_duplicate"))
        case "stsb":
            SuiteLayout(
                folder: "STS-B", fields: [Field("sentence1"), Field("sentence2")], labels: [], words: [],
                metrics: [.pearson, .spearman], label: .named("score"))
        default: nil
        }
    }

    private static func inference(_ name: String) -> SuiteLayout? {
        let words = ["entailment", "not_entailment"]
        return switch name {
        case "mnli":
            SuiteLayout(
                folder: "MNLI",
                fields: [
                    Field("premise", column: .named("sentence1")), Field("hypothesis", column: .named("sentence2")),
                ], labels: ["entailment", "neutral", "contradiction"],
                words: ["entailment", "neutral", "contradiction"], metrics: [.accuracy], label: .named("gold_label"),
                ignored: ["-"])
        case "qnli":
            SuiteLayout(
                folder: "QNLI", fields: [Field("question"), Field("sentence")], labels: words, words: words,
                metrics: [.accuracy])
        case "rte":
            SuiteLayout(
                folder: "RTE", fields: [Field("sentence1"), Field("sentence2")], labels: words, words: words,
                metrics: [.accuracy])
        case "wnli":
            SuiteLayout(
                folder: "WNLI", fields: [Field("sentence1"), Field("sentence2")], labels: ["0", "1"],
                words: ["not_entailment", "entailment"], metrics: [.accuracy])
        default: nil
        }
    }
}
