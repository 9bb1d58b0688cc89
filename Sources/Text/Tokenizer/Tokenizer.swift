public import Failures
public import Tensors

/// Converts text to a model's token ids and back. Any number of threads may encode and decode at the same time.
///
/// A new kind of tokenizer needs a type that conforms to this protocol, in a file of its own, and a line in `Tokenizers`.
public protocol Tokenizer: Sendable {
    /// The file with its pieces, for messages.
    var path: String { get }

    /// The digest of everything that decides ids.
    var digest: ContentDigest { get }

    /// The number of pieces; ids of pieces are `0 ..< pieceCount`.
    var pieceCount: Int { get }

    /// The number of pieces, or, if larger, one more than the largest id of a token that the model's files add.
    var idCount: Int { get }

    /// The id that pads a batch.
    var paddingID: Int32 { get }

    /// The id that ends a text.
    var endID: Int32 { get }

    /// The id of text that no piece covers; nil when the pieces cover every text.
    var unknownID: Int32? { get }

    /// Appends the ids of UTF-8 bytes to `ids`, without the end id; malformed sequences count as text that no piece covers.
    ///
    /// Returns whether the text contains an added token. Throws `badData` when it contains one that this model does not have,
    /// and `internal` when memory is exhausted.
    @discardableResult
    func encode(utf8 bytes: UnsafeRawBufferPointer, into ids: inout [Int32]) throws(Failure) -> Bool

    /// The tokens that `encode` gives for UTF-8 bytes, with their positions; slower than `encode`.
    func spans(utf8 bytes: UnsafeRawBufferPointer) throws(Failure) -> [TokenSpan]

    /// Returns the text of ids without special tokens and without ids that have no token (the padding rows of an embedding).
    ///
    /// Throws `internal` when memory is exhausted.
    func decode(_ ids: [Int32]) throws(Failure) -> String
}

/// A token of a text and the position at which it ends.
public struct TokenSpan: Sendable, Equatable {
    /// The token.
    public let id: Int32
    /// The first byte of the text after the token.
    public let end: Int

    /// Creates a token that ends before byte `end`.
    public init(id: Int32, end: Int) {
        self.id = id
        self.end = end
    }
}

extension Tokenizer {
    /// The ids of a text, without the end id.
    public func encode(_ text: String) throws(Failure) -> [Int32] {
        var ids: [Int32] = []
        try encode(text, into: &ids)
        return ids
    }

    /// Appends the ids of a text to `ids`, without the end id; returns whether the text contains an added token.
    @discardableResult
    public func encode(_ text: String, into ids: inout [Int32]) throws(Failure) -> Bool {
        var text = text
        var problem: Failure?
        var holdsAddedToken = false
        text.withUTF8 { bytes in
            do throws(Failure) {
                holdsAddedToken = try unsafe encode(utf8: UnsafeRawBufferPointer(bytes), into: &ids)
            } catch {
                problem = error
            }
        }
        if let problem { throw problem }
        return holdsAddedToken
    }

    /// The text of ids, see `decode` for an array.
    public func decode(_ ids: some Sequence<Int32>) throws(Failure) -> String { try decode(Array(ids)) }

    /// The text of generated ids; ids from the first end id on are ignored.
    public func answer(_ ids: some Sequence<Int32>) throws(Failure) -> String {
        try decode(ids.prefix { $0 != endID })
    }
}
