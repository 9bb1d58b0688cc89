package import Configuration

/// A record of a TensorBoard event file: TensorFlow's message `Event` (core/util/event.proto), with the fields that are used
/// here.
package struct Event {
    /// A point of a curve.
    package typealias Scalar = (tag: String, value: Double)
    /// What is shown under a name.
    package typealias Tagged = (tag: String, value: Value)

    /// What TensorBoard shows.
    package enum Value {
        /// A point of a curve.
        case scalar(Double)
        /// A distribution.
        case histogram(Histogram)
        /// A text in Markdown.
        case text(String)
        /// A run begins with these hyperparameters, for the tab HPARAMS.
        case begun([RunConfiguration.Hyperparameter])
        /// The run is finished, for the same tab.
        case finished
    }

    /// The content of an event.
    enum Content {
        /// The version of the format; the first record of a file.
        case version(String)
        /// A process starts; readers discard what earlier files of the run contain for the event's step and later ones.
        case start
        /// What is shown at the event's step.
        case values([Tagged])
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
            message.text(3, version)
        case .start:
            message.message(7) { $0.integer(1, 1) }
        case .values(let values):
            message.message(5) { summary in
                for (tag, value) in values { summary.bytes(1, value.serialized(tag, at: wallTime)) }
            }
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
