/// The options that decide the content of a token cache, in addition to the files, the tasks and the vocabulary.
public struct TokenCacheOptions: Sendable, Equatable, Codable {
    /// How files become splits.
    public var reading: ReadingOptions
    /// The longest source in tokens, EOS included; longer sources are cut and keep EOS as their last token.
    public var maxSource: Int

    /// Creates options.
    public init(reading: ReadingOptions = ReadingOptions(), maxSource: Int = 128) {
        self.reading = reading
        self.maxSource = maxSource
    }
}
