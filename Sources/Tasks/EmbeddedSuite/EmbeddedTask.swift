/// The tasks of the embedded suite; the raw value is the task's name.
public enum EmbeddedTask: String, Sendable, CaseIterable {
    /// Whether a sentence is grammatical; one text, two classes.
    case acceptability
    /// Whether a sentence praises or criticises; one text, two classes.
    case sentiment
    /// Whether two sentences mean the same; two classes.
    case paraphrase
    /// Whether a premise entails a hypothesis, leaves it open or contradicts it; three classes.
    case entailment
    /// How similar two sentences are, 0 to 5.
    case similarity

    /// The splits of every task.
    public static let splits: [SplitName] = [.train, .validation, .test]

    /// The format of the task's files; every format that real tasks have occurs.
    public var format: TableFormat {
        switch self {
        case .acceptability: .tsv(hasHeader: false)
        case .sentiment, .paraphrase, .similarity: .tsv(hasHeader: true)
        case .entailment: .jsonLines
        }
    }

    /// Names of the texts, in the order of the source text `<name> <field>: <text> <field>: <text>`.
    public var fields: [String] {
        switch self {
        case .acceptability, .sentiment: ["sentence"]
        case .paraphrase, .similarity: ["sentence1", "sentence2"]
        case .entailment: ["premise", "hypothesis"]
        }
    }

    /// Columns of the files in order; CoLA's files do not contain these names. A column that is neither a field nor the label
    /// holds an identifier or nothing.
    public var columns: [String] {
        switch self {
        case .acceptability: ["source", "label", "mark", "sentence"]
        case .sentiment: ["sentence", "label"]
        case .paraphrase: ["label", "id", "sentence1", "sentence2"]
        case .entailment: ["idx", "premise", "hypothesis", "label"]
        case .similarity: ["index", "sentence1", "sentence2", "score"]
        }
    }

    /// Column of the answer.
    public var labelColumn: String { self == .similarity ? "score" : "label" }

    /// How the files spell the classes, in class order; empty for grades.
    public var fileLabels: [String] {
        switch self {
        case .entailment: EntailmentGrammar.classes
        case .similarity: []
        default: ["0", "1"]
        }
    }

    /// The answers: digits for classes, whole grades for scores.
    public var answerSpace: AnswerSpace {
        switch self {
        case .entailment: .classes(["0", "1", "2"])
        case .similarity: .grades(minimum: 0, maximum: 5, step: 1, decimals: 0)
        default: .classes(["0", "1"])
        }
    }

    /// The figures that are reported.
    public var metrics: [Metric] {
        switch self {
        case .acceptability: [.matthews]
        case .sentiment, .entailment: [.accuracy]
        case .paraphrase: [.accuracy, .f1]
        case .similarity: [.pearson, .spearman]
        }
    }

    /// Number of training rows: as unequal as in GLUE, 1 : 20.
    ///
    /// All counts are multiples of 60, so that the classes have their exact shares in each split.
    public var trainingCount: Int {
        switch self {
        case .acceptability: 4_800
        case .sentiment: 600
        case .paraphrase: 9_000
        case .entailment: 12_000
        case .similarity: 6_000
        }
    }

    /// Number of rows of one of `splits`.
    public func count(_ split: SplitName) -> Int {
        switch split {
        case .train: trainingCount
        case .validation: 300
        default: 480
        }
    }

    /// Position among the tasks; it distinguishes their random streams.
    var index: UInt32 {
        switch self {
        case .acceptability: 0
        case .sentiment: 1
        case .paraphrase: 2
        case .entailment: 3
        case .similarity: 4
        }
    }

    var grammar: any SentenceGrammar.Type {
        switch self {
        case .acceptability: AcceptabilityGrammar.self
        case .sentiment: SentimentGrammar.self
        case .paraphrase: ParaphraseGrammar.self
        case .entailment: EntailmentGrammar.self
        case .similarity: SimilarityGrammar.self
        }
    }
}
