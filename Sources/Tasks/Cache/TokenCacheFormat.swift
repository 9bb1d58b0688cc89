import Failures
import Tensors

/// The file format of a token cache.
///
/// A prologue of 128 bytes, the header (JSON), then the data in sections that each start at a multiple of 64 bytes.
/// All numbers are little-endian. The content digest covers everything after the prologue.
///
/// | prologue | |
/// |---|---|
/// | 0..<8 | magic |
/// | 8..<16 | version |
/// | 16..<24 | size of the file |
/// | 24..<32 | size of the header |
/// | 32..<64 | key, hexadecimal |
/// | 64..<96 | content digest, hexadecimal |
enum TokenCacheFormat {
    static let magic = Array("UNOTOKEN".utf8)
    /// Part of the key, which the checkpoints of old runs contain. Raise it when the tokens of most texts change. When only
    /// some texts are affected, `TokenCache.identity` distinguishes them, as for added tokens. A header that lacks a key is not
    /// read, and the cache is built again.
    static let version: UInt64 = 1
    static let prologueSize = 128
    static let alignment = 64

    static func aligned(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }

    static func prologue(fileSize: Int, headerSize: Int, key: ContentDigest, content: ContentDigest) -> [UInt8] {
        var bytes = magic
        for number in [version, UInt64(fileSize), UInt64(headerSize)] {
            unsafe withUnsafeBytes(of: number.littleEndian) { unsafe bytes.append(contentsOf: $0) }
        }
        bytes += Array(key.hexadecimal.utf8) + Array(content.hexadecimal.utf8)
        return bytes + Array(repeating: 0, count: prologueSize - bytes.count)
    }

    /// Reads a prologue; throws `badData` with the bare reason unless it is a prologue of this version.
    static func read(
        prologue bytes: UnsafeRawBufferPointer
    ) throws(Failure) -> (headerSize: Int, key: ContentDigest, content: ContentDigest) {
        func number(_ offset: Int) -> UInt64 {
            unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        func digest(_ range: Range<Int>) -> ContentDigest? {
            unsafe ContentDigest(hexadecimal: String(decoding: bytes[range], as: UTF8.self))
        }
        guard bytes.count >= prologueSize, unsafe bytes.starts(with: magic) else {
            throw Failure(.badData, "it does not start as a token cache")
        }
        guard number(8) == version else { throw Failure(.badData, "its format is version \(number(8))") }
        guard number(16) == UInt64(bytes.count) else {
            throw Failure(.badData, "it has \(bytes.count) bytes instead of \(number(16))")
        }
        guard number(24) <= UInt64(bytes.count - prologueSize), let key = digest(32..<64),
            let content = digest(64..<96)
        else { throw Failure(.badData, "its prologue is damaged") }
        return (Int(number(24)), key, content)
    }
}
