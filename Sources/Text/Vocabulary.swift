import CSentencePiece
import Failures
import Tensors

/// T5's SentencePiece vocabulary: text to token ids and back.
///
/// Any number of threads may encode and decode at the same time.
public final class Vocabulary: @unchecked Sendable {
    // Unchecked: the model behind the handle is never changed after `init`, and the library's encoding and decoding
    // are const and keep no state of their own.
    let model: OpaquePointer

    /// The path of the model file as given.
    public let path: String
    /// The number of pieces; ids of pieces are `0 ..< pieceCount`.
    public let pieceCount: Int
    /// The digest of the model file.
    public let digest: ContentDigest

    /// The id that fills up a batch and starts the decoder.
    public static let padID: Int32 = 0
    /// The id that ends a text.
    public static let eosID: Int32 = 1
    /// The id of text that no piece covers.
    public static let unknownID: Int32 = 2

    /// Loads a `spiece.model`.
    ///
    /// Throws `inputMissing` when the file cannot be read, `badData` when it is no SentencePiece model or lacks T5's
    /// special ids (pad 0, eos 1, unk 2).
    public convenience init(modelPath: String) throws(Failure) {
        try self.init(MappedFile(path: modelPath))
    }

    init(_ file: MappedFile) throws(Failure) {
        defer { withExtendedLifetime(file) {} }
        let modelPath = file.path
        path = modelPath
        digest = ContentDigest(of: file.bytes)
        guard ModelOutline.isWhole(file.bytes) else {
            throw Failure(
                .badData,
                "\(modelPath.shown) is not a whole SentencePiece model (damaged or cut short); "
                    + "copy spiece.model again from where the model comes from")
        }
        var handle: OpaquePointer?
        try callLibrary("cannot load the vocabulary \(modelPath.shown)", refusal: .badData) { message in
            csp_model_create(file.bytes.baseAddress, file.bytes.count, &handle, message)
        }
        model = handle!
        pieceCount = Int(csp_piece_count(model))
        let special = (csp_pad_id(model), csp_eos_id(model), csp_unk_id(model))
        guard special == (Self.padID, Self.eosID, Self.unknownID) else {
            throw Failure(
                .badData,
                "the vocabulary \(modelPath.shown) has pad \(special.0), eos \(special.1) and unk \(special.2), "
                    + "but T5 needs pad 0, eos 1 and unk 2; use the model's own spiece.model")
        }
    }

    deinit {
        csp_model_destroy(model)
    }

    /// The ids of a text, without EOS.
    ///
    /// Zero characters are allowed. Throws `internal` when the library fails (memory is exhausted).
    public func encode(_ text: String) throws(Failure) -> [Int32] {
        var ids: [Int32] = []
        try encode(text, into: &ids)
        return ids
    }

    /// Appends the ids of a text to `ids`, without EOS.
    public func encode(_ text: String, into ids: inout [Int32]) throws(Failure) {
        var text = text
        var problem: Failure?
        text.withUTF8 { bytes in
            do throws(Failure) { try encode(utf8: UnsafeRawBufferPointer(bytes), into: &ids) } catch { problem = error }
        }
        if let problem { throw problem }
    }

    /// Appends the ids of UTF-8 bytes to `ids`, without EOS; malformed sequences become the unknown id.
    public func encode(utf8 bytes: UnsafeRawBufferPointer, into ids: inout [Int32]) throws(Failure) {
        let start = ids.count
        // A piece covers at least one byte of the normalised text, which starts with an added space; only a few rare
        // characters become longer by normalisation, and then the second attempt has the right room.
        var room = bytes.count + 16
        var count = 0
        repeat {
            ids.append(contentsOf: repeatElement(0, count: start + room - ids.count))
            try ids.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
                try callLibrary("cannot encode a text of \(bytes.count) bytes", refusal: .internal) { message in
                    csp_encode(
                        model, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count,
                        buffer.baseAddress! + start, room, &count, message)
                }
            }
            (room, count) = (max(room, count), room < count ? -1 : count)
        } while count < 0
        ids.removeLast(ids.count - start - count)
    }
}
