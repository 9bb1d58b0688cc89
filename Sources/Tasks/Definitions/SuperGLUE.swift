public import Failures
import Glibc
import Tensors

/// The tasks of SuperGLUE with labels, from the directories and files of SuperGLUE's own download: all but ReCoRD.
///
/// Sources: super.gluebenchmark.com (files, labels, figures); T5 (words, and questions before long passages, so that a cut takes
/// the passage).
public enum SuperGLUE {
    /// The names of all tasks. RTE's differs from that of GLUE's task, whose files have the same rows in another form.
    public static let names = ["boolq", "cb", "copa", "multirc", "superglue_rte", "wic", "wsc"]

    /// One sentence for people about what an average of these tasks lacks of SuperGLUE's own score; nil when there are others among
    /// them, so that nobody takes it for that score.
    public static func absence(from tasks: [TaskDefinition]) -> String? {
        guard !tasks.isEmpty, tasks.allSatisfy({ $0.suite == .superglue }) else { return nil }
        let absent = names.filter { name in !tasks.contains { $0.name == name } }
        let list = absent.isEmpty ? "ReCoRD" : absent.joined(separator: ", ") + " and ReCoRD"
        return "SuperGLUE's own score is the average of its eight tasks; here it is without \(list)"
    }

    /// One task.
    ///
    /// - Parameters:
    ///   - directory: The download: holds `BoolQ`, `CB` and so on.
    /// - Throws: `badConfiguration` for an unknown name, `inputMissing` when the directory does not exist.
    public static func task(
        _ name: String, directory: String, style: LabelStyle = .digits, splits rule: SplitRule = .paper
    ) throws(Failure) -> TaskDefinition {
        guard unsafe access(directory, F_OK) == 0 else {
            throw Failure(
                .inputMissing,
                "the SuperGLUE directory \(directory.shown) does not exist; give the one that holds BoolQ, CB and the rest"
            )
        }
        guard let layout = layout(of: name) else {
            throw Failure(
                .badConfiguration,
                "\"\(name.shown)\" is no task of SuperGLUE; choose from \(names.joined(separator: ", ")), or define it with its "
                    + "files")
        }
        let folder = "\(directory)/\(layout.folder)"
        let development = ["\(folder)/val.jsonl"]
        let others =
            switch rule {
            case .paper:
                [
                    SplitDefinition(.validation, .firstHalf(of: development)),
                    SplitDefinition(.test, .secondHalf(of: development)),
                ]
            case .dev: [SplitDefinition(.validation, .files(development))]
            }
        return try layout.definition(
            name, of: .superglue,
            format: name == "multirc" ? .jsonRows(of: "passage.questions.answers") : .jsonLines, style: style,
            splits: [SplitDefinition(.train, .files(["\(folder)/train.jsonl"]))] + others)
    }

    private static func layout(of name: String) -> SuiteLayout? {
        let truth = (files: ["false", "true"], words: ["False", "True"])
        return switch name {
        case "boolq":
            SuiteLayout(
                folder: "BoolQ", fields: [Field("question"), Field("passage")], labels: truth.files, words: truth.words,
                metrics: [.accuracy])
        case "cb":
            SuiteLayout(
                folder: "CB", fields: [Field("premise"), Field("hypothesis")],
                labels: ["entailment", "contradiction", "neutral"], words: ["entailment", "contradiction", "neutral"],
                metrics: [.accuracy, .macroF1])
        case "copa":
            SuiteLayout(
                folder: "COPA", fields: [Field("premise"), Field("choice1"), Field("choice2"), Field("question")],
                labels: ["0", "1"], words: ["choice1", "choice2"], metrics: [.accuracy])
        case "multirc":
            SuiteLayout(
                folder: "MultiRC",
                fields: [
                    Field("question", column: .named("passage.questions.question")),
                    Field("answer", column: .named("passage.questions.answers.text")),
                    Field("paragraph", column: .named("passage.text")),
                ], labels: ["0", "1"], words: truth.words, metrics: [.f1, .groupExactMatch],
                label: .named("passage.questions.answers.label"),
                // The number of the question in its passage, and of the passage in the file. Halves consist of whole passages.
                group: .named("passage.questions"))
        case "superglue_rte":
            SuiteLayout(
                folder: "RTE", fields: [Field("premise"), Field("hypothesis")],
                labels: ["entailment", "not_entailment"], words: ["entailment", "not_entailment"], metrics: [.accuracy])
        case "wic":
            SuiteLayout(
                folder: "WiC", fields: [Field("word"), Field("sentence1"), Field("sentence2")], labels: truth.files,
                words: truth.words, metrics: [.accuracy])
        case "wsc":
            SuiteLayout(
                folder: "WSC",
                fields: [
                    Field("span1", column: .named("target.span1_text")),
                    Field("span2", column: .named("target.span2_text")), Field("text"),
                ], labels: truth.files, words: truth.words, metrics: [.accuracy])
        default: nil
        }
    }
}
