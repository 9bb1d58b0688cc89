/// The figures of one split.
public struct SplitStatistics: Sendable, Equatable, Codable {
    /// A part of a whole; the share of nothing is 0.
    public struct Part: Sendable, Equatable, Codable {
        /// How many.
        public let count: Int
        /// The fraction of the whole, from 0 to 1.
        public let share: Double

        init(_ count: Int, of whole: Int) {
            self.count = count
            share = whole > 0 ? Double(count) / Double(whole) : 0
        }
    }

    /// Sources from which the cut removes a part of the template completely.
    public struct Loss: Sendable, Equatable, Codable {
        /// The field, or the text after the last field.
        public let part: SourcePart
        /// How many sources.
        public let count: Int
        /// The fraction of the split's sources.
        public let share: Double
    }

    /// What the model reads.
    public struct Sources: Sendable, Equatable, Codable {
        /// Lengths as the model reads them, EOS included.
        public let tokens: TokenLengths
        /// Lengths before the cut, EOS included.
        public let whole: TokenLengths
        /// Sources that were cut to the maximal length.
        public let cut: Part
        /// Sources that lose a part completely.
        public let lost: [Loss]
        /// Tokens that stand for text without a piece, however long, of all tokens before the cut, EOS excluded.
        public let unknownTokens: Part
        /// Characters that no piece covers, of all characters before the cut, white space excluded.
        public let unknownCharacters: Part
        /// Sources with text that no piece covers.
        public let withUnknown: Part
        /// Sources that contain a special or another added token.
        public let withAddedTokens: Part
    }

    /// Examples whose text occurs more than once in the split.
    public struct Repeats: Sendable, Equatable, Codable {
        /// Examples beyond the first with each text.
        public let count: Int
        /// The fraction of the split's examples.
        public let share: Double
        /// Examples, the first ones included, whose text has another answer elsewhere in the split.
        public let otherAnswer: Int
    }

    /// Examples whose text occurs in another split.
    public struct EqualText: Sendable, Equatable, Codable {
        /// The other split.
        public let with: SplitName
        /// How many.
        public let count: Int
        /// The fraction of this split's examples.
        public let share: Double
        /// Those of them whose text has another answer there, at least once.
        public let otherAnswer: Int

        init(_ equal: TaskReport.EqualText, of whole: Int) {
            with = equal.with
            (count, share) = (equal.examples, Part(equal.examples, of: whole).share)
            otherAnswer = equal.otherAnswer
        }
    }

    /// The split.
    public let split: SplitName
    /// The name of the split's figures if it says more.
    public let label: String?
    /// The number of examples.
    public let examples: Int
    /// What the model reads.
    public let sources: Sources
    /// Lengths of the answers that the model is to give, EOS included. Only free text is cut.
    public let answers: TokenLengths
    /// The examples of each class, in class order; absent for a task without classes.
    public let labels: [LabelStatistics]?
    /// The distribution of the raw scores; absent for a task without grades, and for a split without examples.
    public let scores: ScoreStatistics?
    /// The answers of a task with free text; absent for others.
    public let texts: TextStatistics?
    /// Examples whose text occurs more than once here.
    public let repeated: Repeats
    /// For each earlier split: the examples of this one whose text occurs there.
    public let equalText: [EqualText]

    init(_ split: CachedSplit, _ report: TaskReport.Split, of task: CachedTask) {
        (self.split, label, examples) = (split.name, split.label, split.count)
        let counts = report.sources
        func part(_ count: Int) -> Part { Part(count, of: split.count) }
        sources = Sources(
            tokens: split.sourceLengths, whole: report.whole, cut: part(counts.truncated),
            lost: counts.lost.map { Loss(part: $0.part, count: $0.sources, share: part($0.sources).share) },
            unknownTokens: Part(counts.unknownTokens, of: counts.tokens),
            unknownCharacters: Part(counts.unknownCharacters, of: counts.characters),
            withUnknown: part(counts.withUnknown), withAddedTokens: part(counts.withAddedTokens))
        answers = split.targetLengths
        switch task.answers {
        case .classes(let answers):
            labels = LabelStatistics.of(split, names: task.labelNames, answers: answers)
            (scores, texts) = (nil, nil)
        case .grades:
            (labels, texts) = (nil, nil)
            scores = ScoreStatistics(Array(split.numbers))
        case .texts:
            (labels, scores) = (nil, nil)
            texts = report.answers.map { TextStatistics(split, $0) }
        }
        repeated = Repeats(
            count: report.repeated.examples, share: part(report.repeated.examples).share,
            otherAnswer: report.repeated.otherAnswer)
        equalText = report.equalText.map { EqualText($0, of: split.count) }
    }
}
