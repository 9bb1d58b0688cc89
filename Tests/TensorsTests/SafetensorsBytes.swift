import Failures
import Testing

@testable import Tensors

/// The bytes of a file: header length, header, data.
func safetensors(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8) + data
}

/// The bytes of numbers, least significant first.
func littleEndian<T: FixedWidthInteger & UnsignedInteger>(_ values: [T]) -> [UInt8] {
    values.flatMap { value in (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * T($0))) } }
}

/// Reads a file from memory and passes it to `body` while the bytes are valid.
func withSafetensors<R>(
    _ bytes: [UInt8], path: String = "weights.safetensors", _ body: (SafetensorsFile) throws -> R
) throws -> R {
    try bytes.withUnsafeBytes { buffer in
        try body(try SafetensorsFile(bytes: buffer, mapping: nil, path: path))
    }
}

/// Returns the failure that `body` throws.
func failure(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> Failure? {
    do {
        try body()
        Issue.record("no failure", sourceLocation: sourceLocation)
    } catch let failure as Failure {
        return failure
    } catch {
        Issue.record("failure of another type: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// The path of a file beside the tests' sources.
func golden(_ name: String, file: String = #filePath) -> String {
    String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]) + "/Goldens/" + name
}
