/// The outline of a serialised SentencePiece model: which parts it has.
///
/// A model cut at the end of a piece still parses as a protocol buffer, and the library then goes on with fewer pieces
/// and no text normalisation. The two parts that follow the pieces tell such a file from a whole one.
/// Source: sentencepiece_model.proto (ModelProto: 1 pieces, 2 trainer_spec, 3 normalizer_spec).
struct ModelOutline {
    private(set) var pieces = 0
    private(set) var hasTrainerSettings = false
    private(set) var hasNormaliserSettings = false

    /// Walks over the fields of the message; nil when the bytes are no message.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < bytes.count {
            guard let tag = Self.integer(bytes, &offset) else { return nil }
            let size: UInt64?
            switch tag & 7 {
            case 0: size = Self.integer(bytes, &offset) == nil ? nil : 0
            case 1: size = 8
            case 2: size = Self.integer(bytes, &offset)
            case 5: size = 4
            default: size = nil
            }
            guard let size, size <= UInt64(bytes.count - offset) else { return nil }
            offset += Int(size)
            switch tag {
            case 1 << 3 | 2: pieces += 1
            case 2 << 3 | 2: hasTrainerSettings = true
            case 3 << 3 | 2: hasNormaliserSettings = true
            default: break
            }
        }
    }

    /// Reads a variable-length integer.
    private static func integer(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count, shift < 64 {
            let byte = bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}
