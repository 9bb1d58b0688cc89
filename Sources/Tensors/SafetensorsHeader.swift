import Failures

/// The checked header of a safetensors file.
///
/// The format: 8 bytes with the length of the header (little-endian), the header as a JSON object, and the data
/// section, which the tensors must fill without gap or overlap. Source: github.com/huggingface/safetensors.
struct SafetensorsHeader {
    /// Free-form texts under `__metadata__`.
    private(set) var metadata: [String: String] = [:]
    /// The tensors in the order of their data.
    private(set) var tensors: [TensorDescription] = []
    /// Where the data section starts in the file.
    let dataStart: Int

    /// The longest header that is accepted; the reference implementation has the same limit.
    static let maximumLength = 100_000_000

    /// Reads and checks the header of a whole file in memory; `path` is for messages.
    init(_ file: UnsafeRawBufferPointer, path: String) throws(Failure) {
        let length = try unsafe Self.headerLength(file, path: path)
        dataStart = 8 + length
        var reader = unsafe JSONReader(UnsafeRawBufferPointer(rebasing: file[8..<dataStart]))
        do {
            try read(&reader)
        } catch {
            throw Failure(
                .badData,
                "\(path.shown) has a malformed safetensors header (byte \(8 + error.offset): \(error.text)); "
                    + "download or write the file again")
        }
        do {
            try checkCoverage(dataCount: file.count - dataStart)
        } catch {
            throw Failure(.badData, "\(path.shown) \(error.text); download or write the file again")
        }
    }

    private static func headerLength(_ file: UnsafeRawBufferPointer, path: String) throws(Failure) -> Int {
        if let format = unsafe ForeignFormat(file) {
            throw Failure(.badData, "\(path.shown) \(format.explanation)")
        }
        guard file.count >= 8 else {
            throw Failure(
                .badData,
                "\(path.shown) has \(file.count) bytes, too short for a safetensors file, which starts with an 8-byte "
                    + "header length; download or write the file again")
        }
        let length = unsafe UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(maximumLength) else {
            throw Failure(
                .badData,
                "\(path.shown) states a header of \(length) bytes, more than the \(maximumLength) that safetensors "
                    + "allows; the file is corrupt or of another format, download or convert it again")
        }
        guard length <= UInt64(file.count - 8) else {
            throw Failure(
                .badData,
                "\(path.shown) states a header of \(length) bytes but has only \(file.count - 8) after the length; "
                    + "it is cut short or corrupt, download or write the file again")
        }
        return Int(length)
    }

    private mutating func read(_ reader: inout JSONReader) throws(JSONReader.Problem) {
        guard unsafe reader.bytes.first == UInt8(ascii: "{") else {
            throw reader.problem("the header must start with '{'")
        }
        var names: Set<String> = []
        var metadata: [String: String] = [:]
        var tensors: [TensorDescription] = []
        try reader.object { (reader, name) throws(JSONReader.Problem) in
            guard names.insert(name).inserted else {
                throw reader.problem("two entries named '\(name.shown)'")
            }
            if name == "__metadata__" {
                // `null` means no metadata, as in the reference implementation.
                if reader.takeNull() { return }
                try reader.object { (reader, key) throws(JSONReader.Problem) in
                    let value = try reader.string()
                    guard metadata.updateValue(value, forKey: key) == nil else {
                        throw reader.problem("two metadata entries named '\(key.shown)'")
                    }
                }
            } else {
                tensors.append(try TensorFields.read(name, &reader))
            }
        }
        if reader.peek() != nil { throw reader.problem("text after the header's object") }
        self.metadata = metadata
        self.tensors = tensors
    }

    private struct Gap: Error {
        let text: String
    }

    /// Sorts the tensors by position and checks that they fill the data section exactly.
    private mutating func checkCoverage(dataCount: Int) throws(Gap) {
        tensors.sort {
            ($0.byteRange.lowerBound, $0.byteRange.upperBound, $0.name)
                < ($1.byteRange.lowerBound, $1.byteRange.upperBound, $1.name)
        }
        var end = 0
        var previous = ""
        for tensor in tensors {
            let range = tensor.byteRange
            if range.lowerBound < end {
                throw Gap(text: "has overlapping tensors '\(previous.shown)' and '\(tensor.name.shown)'")
            }
            if range.lowerBound > end {
                throw Gap(
                    text: "has a hole of \(range.lowerBound - end) bytes before the data of tensor "
                        + "'\(tensor.name.shown)'")
            }
            if range.upperBound > dataCount {
                throw Gap(
                    text: "is cut short: the data of tensor '\(tensor.name.shown)' ends at byte "
                        + "\(range.upperBound) but only \(dataCount) bytes follow the header")
            }
            end = range.upperBound
            previous = tensor.name
        }
        if end < dataCount {
            throw Gap(text: "has \(dataCount - end) bytes after its last tensor that belong to none")
        }
    }
}
