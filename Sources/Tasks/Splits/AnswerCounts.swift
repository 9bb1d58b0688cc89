/// The result of tokenising the answers of a split of a task with free text.
public struct AnswerCounts: Sendable, Equatable, Codable {
    /// The maximal length of a target in tokens, EOS included; nil without one.
    public let limit: Int?
    /// Answers that were cut to that length as targets; the texts with which answers are compared are whole.
    public internal(set) var truncated = 0
    /// Answers with text that no piece covers, which the model cannot write.
    public internal(set) var withUnknown = 0
    /// Answers that contain a special or another added token.
    public internal(set) var withAddedTokens = 0
    /// Answers without text.
    public internal(set) var empty = 0
    /// Texts that are right, of all examples together.
    public internal(set) var references = 0
    /// The lengths of the answers before any cut.
    public internal(set) var whole = TokenLengths([])

    /// Adds the counts of other examples; `whole` is left alone.
    mutating func add(_ other: AnswerCounts) {
        truncated += other.truncated
        withUnknown += other.withUnknown
        withAddedTokens += other.withAddedTokens
        empty += other.empty
        references += other.references
    }

    /// All numbers.
    var numbers: [Int] { [truncated, withUnknown, withAddedTokens, empty, references] + whole.numbers }
}
