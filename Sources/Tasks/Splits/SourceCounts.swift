/// The result of tokenising the sources of a split.
public struct SourceCounts: Sendable, Equatable, Codable {
    /// How many sources lose a part completely.
    public struct Loss: Sendable, Equatable, Codable {
        /// The part.
        public let part: SourcePart
        /// How many sources lose it.
        public internal(set) var sources: Int
    }

    /// Sources that were cut to the maximal length.
    public internal(set) var truncated = 0
    /// Which parts are lost completely, and in how many sources.
    public internal(set) var lost: [Loss] = []
    /// Sources that contain a special or another added token.
    public internal(set) var withAddedTokens = 0
    /// Sources with text that no piece covers.
    public internal(set) var withUnknown = 0
    /// Tokens before any cut, end tokens excluded.
    public internal(set) var tokens = 0
    /// Those tokens that stand for text without a piece, however long.
    public internal(set) var unknownTokens = 0
    /// Characters of the sources, white space excluded.
    public internal(set) var characters = 0
    /// Those characters that no piece covers.
    public internal(set) var unknownCharacters = 0

    /// Share of the tokens that stand for text without a piece.
    public var unknownTokenShare: Double { Double(unknownTokens) / Double(max(tokens, 1)) }
    /// Share of the characters that no piece covers.
    public var unknownCharacterShare: Double { Double(unknownCharacters) / Double(max(characters, 1)) }

    mutating func add(_ finding: SourceTokeniser.Finding) {
        truncated += finding.isCut ? 1 : 0
        withAddedTokens += finding.holdsAddedToken ? 1 : 0
        withUnknown += finding.unknownTokens > 0 ? 1 : 0
        tokens += finding.tokens
        unknownTokens += finding.unknownTokens
        characters += finding.characters
        unknownCharacters += finding.unknownCharacters
        for part in finding.lost { add(Loss(part: part, sources: 1)) }
    }

    mutating func add(_ other: SourceCounts) {
        truncated += other.truncated
        withAddedTokens += other.withAddedTokens
        withUnknown += other.withUnknown
        tokens += other.tokens
        unknownTokens += other.unknownTokens
        characters += other.characters
        unknownCharacters += other.unknownCharacters
        for loss in other.lost { add(loss) }
    }

    private mutating func add(_ loss: Loss) {
        if let index = lost.firstIndex(where: { $0.part == loss.part }) {
            lost[index].sources += loss.sources
        } else {
            lost.append(loss)
        }
    }

    /// All numbers.
    var numbers: [Int] {
        [truncated, withAddedTokens, withUnknown, tokens, unknownTokens, characters, unknownCharacters]
            + lost.map(\.sources)
    }
}
