/// A record of a TensorBoard event file: TensorFlow's message `Event` (core/util/event.proto), with the fields that are used
/// here.
package struct Event {
    /// A point of a curve.
    package typealias Scalar = (tag: String, value: Double)

    /// The content of an event.
    enum Content {
        /// The version of the format; the first record of a file.
        case version(String)
        /// A process starts; readers discard what earlier files of the run contain for the event's step and later ones.
        case start
        /// Points of several curves at the event's step.
        case scalars([Scalar])
    }

    /// Seconds since 1970.
    var wallTime: Double
    var step: Int
    var content: Content

    /// The message as protocol buffer. Fields that are zero are omitted, as every writer does.
    var serialized: [UInt8] {
        var message = MessageWriter()
        message.fixed64(1, wallTime.bitPattern)
        message.integer(2, UInt64(bitPattern: Int64(step)))
        switch content {
        case .version(let version):
            message.bytes(3, Array(version.utf8))
        case .start:
            var session = MessageWriter()
            session.integer(1, 1)
            message.bytes(7, session.output)
        case .scalars(let scalars):
            var summary = MessageWriter()
            for scalar in scalars {
                var value = MessageWriter()
                value.bytes(1, Array(scalar.tag.utf8))
                // This field selects one of several kinds of value, so it is written even when it is zero.
                value.fixed32(2, Float(scalar.value).bitPattern)
                summary.bytes(1, value.output)
            }
            message.bytes(5, summary.output)
        }
        return message.output
    }

    /// The record as in the file: length, masked CRC of the length, message, masked CRC of the message.
    var record: [UInt8] {
        let message = serialized
        let length = Self.littleEndian(UInt64(message.count))
        return length + Self.littleEndian(CRC32C.masked(length)) + message
            + Self.littleEndian(CRC32C.masked(message))
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe Array($0) }
    }
}

/// Appends fields to a serialised protocol buffer message.
private struct MessageWriter {
    private(set) var output: [UInt8] = []

    /// A number of variable length; zero is omitted.
    mutating func integer(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        output.append(field << 3)
        append(value)
    }

    /// Eight bytes; zero is omitted.
    mutating func fixed64(_ field: UInt8, _ value: UInt64) {
        guard value != 0 else { return }
        output.append(field << 3 | 1)
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe output.append(contentsOf: $0) }
    }

    /// A text or a nested message.
    mutating func bytes(_ field: UInt8, _ value: [UInt8]) {
        output.append(field << 3 | 2)
        append(UInt64(value.count))
        output += value
    }

    /// Four bytes.
    mutating func fixed32(_ field: UInt8, _ value: UInt32) {
        output.append(field << 3 | 5)
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe output.append(contentsOf: $0) }
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
