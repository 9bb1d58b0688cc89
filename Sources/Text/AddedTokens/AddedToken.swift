/// A text that the model's tokenizer reads as one token, in addition to the pieces of `spiece.model`: T5's sentinels, `</s>`,
/// and tokens that somebody has added (`tokenizer.add_tokens`).
struct AddedToken: Equatable, Sendable {
    /// The text.
    let content: String
    /// The row of the embedding.
    let id: Int32
    /// Whether decoding omits it.
    var isSpecial: Bool
    /// Whether it is searched for in the normalised text instead of the text as written.
    var isNormalised: Bool
    /// Whether it counts only when no letter, digit or underscore is next to it.
    var isWholeWord = false

    /// A special token of every T5.
    static func special(_ content: String, id: Int32) -> AddedToken {
        AddedToken(content: content, id: id, isSpecial: true, isNormalised: false)
    }

    /// The name of T5's sentinel with that number.
    static func sentinel(_ number: Int) -> String { "<extra_id_\(number)>" }

    /// Whether the text is the name of a sentinel.
    static func isSentinel(_ content: String) -> Bool {
        content.hasPrefix("<extra_id_") && content.hasSuffix(">")
            && content.utf8.dropFirst(10).dropLast().allSatisfy { (0x30...0x39).contains($0) }
    }
}
