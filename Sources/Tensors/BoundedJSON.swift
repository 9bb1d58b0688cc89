package import Failures
package import Foundation

/// Decodes JSON that nobody has checked yet. This is the only place where Foundation's decoder reads the content of a file.
///
/// Size, depth and names are bounded before the decoder sees the text: the decoder looks names up in dictionaries, and a
/// maliciously chosen name makes such a look-up slow without bound.
package enum BoundedJSON {
    /// Settings and states have a few kilobytes; a larger file is something else.
    package static let maximumSize = 1 << 24

    /// Decodes a text of at most `maximumSize` bytes; throws a `JSONReader.Problem` or the decoder's error.
    package static func decode<Value: Decodable>(
        _: Value.Type, from data: Data, maximumSize: Int = maximumSize
    ) throws -> Value {
        try check(data, maximumSize: maximumSize)
        return try JSONDecoder().decode(Value.self, from: data)
    }

    /// The content of a file of settings. `inputMissing` when it cannot be read, `badData` when it is too large.
    package static func content(of path: String, followingLinks: Bool = true) throws(Failure) -> Data {
        let file = try MappedFile(path: path, followingLinks: followingLinks)
        guard unsafe file.bytes.count <= maximumSize else {
            throw Failure(
                .badData,
                unsafe "\(path.shown) has \(file.bytes.count) bytes, which no file of its kind has; check what it is")
        }
        return withExtendedLifetime(file) { unsafe Data(file.bytes) }
    }

    private static func check(_ data: Data, maximumSize: Int) throws(JSONReader.Problem) {
        guard data.count <= maximumSize else {
            throw JSONReader.Problem(text: "more than \(maximumSize) bytes", offset: maximumSize)
        }
        var problem: JSONReader.Problem?
        unsafe data.withUnsafeBytes { bytes in
            var reader = unsafe JSONReader(bytes, everyStringIsName: true)
            do throws(JSONReader.Problem) {
                try reader.skipValue()
                if reader.peek() != nil { throw reader.problem("text after the value") }
            } catch { problem = error }
        }
        if let problem { throw problem }
    }
}
