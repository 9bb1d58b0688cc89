/// The options that decide the content of a token cache, in addition to the files, the tasks and the vocabulary.
public struct TokenCacheOptions: Sendable, Equatable, Codable {
    /// How files become splits.
    public var reading: ReadingOptions
    /// The longest source in tokens, EOS included; longer sources are cut and keep EOS as their last token.
    public var maxSource: Int
    /// The longest target of free text in tokens, EOS included; longer ones are cut in the same way. Nil cuts none, and is the value
    /// of tasks without free text, whose caches of earlier versions have no such option.
    public var maxTarget: Int?

    /// Creates options.
    public init(reading: ReadingOptions = ReadingOptions(), maxSource: Int = 128, maxTarget: Int? = nil) {
        self.reading = reading
        self.maxSource = maxSource
        self.maxTarget = maxTarget
    }
}
