import Failures
import Tensors

/// Text to token ids and back, as a model knows them. Any number of threads may encode and decode at the same time.
///
/// A new kind of tokenizer is a conformance in a file of its own, and a line in `Tokenizers`.
public protocol Tokenizer: Sendable {
    /// The file that names its pieces, for messages.
    var path: String { get }

    /// The digest of all that decides ids.
    var digest: ContentDigest { get }

    /// The number of pieces; ids of pieces are `0 ..< pieceCount`.
    var pieceCount: Int { get }

    /// The number of pieces, or one more than the largest id of a token that the model's files add to them.
    var idCount: Int { get }

    /// The id that fills up a batch.
    var paddingID: Int32 { get }

    /// The id that ends a text.
    var endID: Int32 { get }

    /// The id of text that no piece covers; nil where there is no such text.
    var unknownID: Int32? { get }

    /// Appends the ids of UTF-8 bytes to `ids`, without the one that ends a text; malformed sequences are text that no piece
    /// covers.
    ///
    /// Returns whether the text holds an added token. Throws `badData` when it holds one that this model does not have,
    /// `internal` when memory is exhausted.
    @discardableResult
    func encode(utf8 bytes: UnsafeRawBufferPointer, into ids: inout [Int32]) throws(Failure) -> Bool

    /// The tokens of UTF-8 bytes as `encode` gives them, with their places; takes longer.
    func spans(utf8 bytes: UnsafeRawBufferPointer) throws(Failure) -> [TokenSpan]

    /// The text of ids without special tokens, and without ids that name nothing (the padding rows of an embedding).
    ///
    /// Throws `internal` when memory is exhausted.
    func decode(_ ids: [Int32]) throws(Failure) -> String
}

/// A token of a text and where it ends.
public struct TokenSpan: Sendable, Equatable {
    /// The token.
    public let id: Int32
    /// The byte of the text right behind it.
    public let end: Int

    /// A token that ends before byte `end`.
    public init(id: Int32, end: Int) {
        self.id = id
        self.end = end
    }
}

extension Tokenizer {
    /// The ids of a text, without the one that ends it.
    public func encode(_ text: String) throws(Failure) -> [Int32] {
        var ids: [Int32] = []
        try encode(text, into: &ids)
        return ids
    }

    /// Appends the ids of a text to `ids`, without the one that ends it.
    public func encode(_ text: String, into ids: inout [Int32]) throws(Failure) {
        var text = text
        var problem: Failure?
        text.withUTF8 { bytes in
            do throws(Failure) { try encode(utf8: UnsafeRawBufferPointer(bytes), into: &ids) } catch { problem = error }
        }
        if let problem { throw problem }
    }

    /// The text of ids, as of a list of them.
    public func decode(_ ids: some Sequence<Int32>) throws(Failure) -> String { try decode(Array(ids)) }

    /// The text of generated ids: from the first that ends a text on they do not count.
    public func answer(_ ids: some Sequence<Int32>) throws(Failure) -> String {
        try decode(ids.prefix { $0 != endID })
    }
}
