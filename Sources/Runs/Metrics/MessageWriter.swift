/// Appends fields to a serialised protocol buffer message. The caller writes them in the order of their numbers, as every writer
/// does.
struct MessageWriter {
    private(set) var output: [UInt8] = []

    /// A message made of fields.
    static func message(_ fields: (inout MessageWriter) -> Void) -> [UInt8] {
        var writer = MessageWriter()
        fields(&writer)
        return writer.output
    }

    /// A number of variable length; zero is omitted.
    mutating func integer(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        chosen(field, value)
    }

    /// A number of variable length that selects one of several kinds of value, and so is written even when it is zero.
    mutating func chosen(_ field: UInt8, _ value: UInt64) {
        output.append(field << 3)
        append(value)
    }

    /// Eight bytes; zero is omitted.
    mutating func fixed64(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        chosen(field, fixed64: value)
    }

    /// Eight bytes that select one of several kinds of value, and so are written even when they are zero.
    mutating func chosen(_ field: UInt8, fixed64 value: UInt64) {
        output.append(field << 3 | 1)
        append(fixed: value.littleEndian)
    }

    /// A text or a nested message.
    mutating func bytes(_ field: UInt8, _ value: [UInt8]) {
        output.append(field << 3 | 2)
        append(UInt64(value.count))
        output += value
    }

    /// A text; an empty one is omitted.
    mutating func text(_ field: UInt8, _ value: String) {
        if !value.isEmpty { bytes(field, Array(value.utf8)) }
    }

    /// A nested message.
    mutating func message(_ field: UInt8, _ fields: (inout MessageWriter) -> Void) {
        bytes(field, Self.message(fields))
    }

    /// Numbers in double precision, packed; none is omitted.
    mutating func doubles(_ field: UInt8, _ values: [Double]) {
        guard !values.isEmpty else { return }
        output.append(field << 3 | 2)
        append(UInt64(8 * values.count))
        for value in values { append(fixed: value.bitPattern.littleEndian) }
    }

    /// Four bytes.
    mutating func fixed32(_ field: UInt8, _ value: UInt32) {
        output.append(field << 3 | 5)
        append(fixed: value.littleEndian)
    }

    private mutating func append(fixed value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value) { unsafe output.append(contentsOf: $0) }
    }

    private mutating func append(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }
}
