import CSentencePiece
public import Failures
public import Tensors

/// T5's vocabulary: converts text to token ids and back, with SentencePiece and the model's added tokens.
///
/// Like `T5Tokenizer` of transformers 5 (and earlier versions with `legacy=True`), it searches for added tokens first, and
/// encodes the text between them separately: white space next to an added token gives no piece.
///
/// Any number of threads may encode and decode at the same time.
public final class Vocabulary: Tokenizer, @unchecked Sendable {
    // Unchecked: nothing changes after `init`, and the library's functions for encoding and decoding are const and stateless.
    let handle: PieceModel
    var model: OpaquePointer { unsafe handle.pointer }

    /// The path of the model file as given.
    public let path: String
    /// The number of pieces; ids of pieces are `0 ..< pieceCount`.
    public let pieceCount: Int
    /// The digest of everything that decides ids: of the model file alone when the added tokens are those of every T5.
    public let digest: ContentDigest
    /// The number of pieces, or, if larger, one more than the largest id of a token that the model's files add.
    public var idCount: Int { added.idCount }
    let added: AddedTokens

    /// The id that pads a batch and starts the decoder.
    public static let padID = SpecialIDs.padding
    /// The id that ends a text.
    public static let eosID = SpecialIDs.end
    /// The id of text that no piece covers.
    public static let unknownID = SpecialIDs.unknown

    /// `padID`.
    public var paddingID: Int32 { Self.padID }
    /// `eosID`.
    public var endID: Int32 { Self.eosID }
    /// The same as in every T5.
    public var unknownID: Int32? { Self.unknownID }

    /// Loads a `spiece.model`, with the added tokens that every T5 has.
    ///
    /// Throws `inputMissing` when the file cannot be read, `badData` when it is no SentencePiece model or lacks T5's
    /// special ids (pad 0, eos 1, unk 2).
    public convenience init(modelPath: String) throws(Failure) {
        try self.init(MappedFile(path: modelPath))
    }

    /// Loads `spiece.model` from a model's directory, with the added tokens that the tokenizer's files beside it name
    /// (`tokenizer_config.json`, `tokenizer.json`, `added_tokens.json`, `special_tokens_map.json`; any may be absent).
    ///
    /// Throws what `init(modelPath:)` throws, and `badData` when one of the files is damaged, when they contradict each other,
    /// or when a token's id is not below `rows`, the number of rows of the model's embedding.
    public convenience init(directory: String, rows: Int) throws(Failure) {
        try self.init(
            MappedFile(path: directory + "/spiece.model"), files: TokenizerFiles(directory: directory), rows: rows)
    }

    init(_ file: MappedFile, files: TokenizerFiles = TokenizerFiles(), rows: Int? = nil) throws(Failure) {
        defer { withExtendedLifetime(file) {} }
        let modelPath = file.path
        path = modelPath
        let modelDigest = unsafe ContentDigest(of: file.bytes)
        guard unsafe ModelOutline.isWhole(file.bytes) else {
            throw Failure(
                .badData,
                "\(modelPath.shown) is not a whole SentencePiece model (damaged or cut short); "
                    + "copy spiece.model again from where the model comes from")
        }
        var loaded: OpaquePointer?
        try unsafe callLibrary("cannot load the vocabulary \(modelPath.shown)", refusal: .badData) { message in
            unsafe csp_model_create(file.bytes.baseAddress, file.bytes.count, &loaded, message)
        }
        // From here on the model is freed even when the code below throws.
        let handle = unsafe PieceModel(loaded!)
        let count = unsafe Int(csp_piece_count(handle.pointer))
        let special = unsafe (csp_pad_id(handle.pointer), csp_eos_id(handle.pointer), csp_unk_id(handle.pointer))
        guard special == (Self.padID, Self.eosID, Self.unknownID) else {
            throw Failure(
                .badData,
                "the vocabulary \(modelPath.shown) has pad \(special.0), eos \(special.1) and unk \(special.2), "
                    + "but T5 needs pad 0, eos 1 and unk 2; use the model's own spiece.model")
        }
        let pieces = AddedTokens.Pieces(
            count: count, name: { id throws(Failure) in try handle.name(of: id) }, id: handle.id(of:),
            normaliser: unsafe TextNormaliser(model: file.bytes))
        added = try AddedTokens(files, pieces: pieces, rows: rows)
        digest = added.identity.map { ContentDigest(of: "\(modelDigest.hexadecimal)\n\($0)") } ?? modelDigest
        pieceCount = count
        self.handle = handle
    }

    /// Appends the ids of UTF-8 bytes to `ids`, without EOS; malformed sequences become the unknown id.
    ///
    /// Zero characters are allowed. Returns whether the text contains an added token. Throws `badData` when it contains one
    /// that this model does not have, and `internal` when the library fails (memory is exhausted).
    @discardableResult
    public func encode(utf8 bytes: UnsafeRawBufferPointer, into ids: inout [Int32]) throws(Failure) -> Bool {
        guard unsafe added.mayOccur(in: bytes) else {
            try unsafe encodePieces(bytes, into: &ids)
            return false
        }
        return try unsafe added.forEachPart(of: bytes) { (part) throws(Failure) in
            switch unsafe part {
            case .text(let text, _): try unsafe encodePieces(text, into: &ids)
            case .token(let token, _): ids.append(token.id)
            }
        }
    }

    private func encodePieces(_ bytes: UnsafeRawBufferPointer, into ids: inout [Int32]) throws(Failure) {
        let start = ids.count
        // A piece covers at least one byte of the normalised text, which starts with an added space. Normalisation makes only a
        // few rare characters longer; for them the second attempt has enough room.
        var room = bytes.count + 16
        var count = 0
        repeat {
            ids.append(contentsOf: repeatElement(0, count: start + room - ids.count))
            try unsafe ids.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
                try unsafe callLibrary("cannot encode a text of \(bytes.count) bytes", refusal: .internal) { message in
                    unsafe csp_encode(
                        model, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count,
                        buffer.baseAddress! + start, room, &count, message)
                }
            }
            (room, count) = (max(room, count), room < count ? -1 : count)
        } while count < 0
        ids.removeLast(ids.count - start - count)
    }
}
