/// Walks over the fields of a serialised protocol buffer message without knowing its schema.
enum ProtocolBuffer {
    /// Calls `body` with the number and content of each length-delimited field; returns false when the bytes are not a message.
    static func forEachDelimitedField(
        _ bytes: UnsafeRawBufferPointer, _ body: (_ number: UInt64, _ content: UnsafeRawBufferPointer) -> Void
    ) -> Bool {
        var offset = 0
        while offset < bytes.count {
            guard let tag = unsafe integer(bytes, &offset) else { return false }
            let size: UInt64?
            switch tag & 7 {
            case 0: size = unsafe integer(bytes, &offset).map { _ in 0 }
            case 1: size = 8
            case 2: size = unsafe integer(bytes, &offset)
            case 5: size = 4
            default: size = nil
            }
            guard let size, size <= UInt64(bytes.count - offset) else { return false }
            if tag & 7 == 2 {
                unsafe body(tag >> 3, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(size)]))
            }
            offset += Int(size)
        }
        return true
    }

    /// Reads a variable-length integer.
    private static func integer(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count, shift < 64 {
            let byte = unsafe bytes[offset]
            offset += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }
}
