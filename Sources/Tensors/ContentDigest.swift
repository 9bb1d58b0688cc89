import CXXHash
public import Failures
import Heartbeat

/// The XXH3 128-bit digest of some content: a check against damage, not against an adversary.
public struct ContentDigest: Sendable, Hashable, CustomStringConvertible {
    private let low: UInt64
    private let high: UInt64
    private static let partSize = 1 << 22

    private init(_ hash: XXH128_hash_t) {
        low = hash.low64
        high = hash.high64
    }

    /// The digest of bytes in memory, or of a mapped file.
    public init(of bytes: UnsafeRawBufferPointer) {
        guard bytes.count > Self.partSize else {
            unsafe self.init(XXH3_128bits(bytes.baseAddress, bytes.count))
            return
        }
        // The bytes are read in parts, each of which counts as progress: a large file may come over a slow network.
        var accumulator = Accumulator()
        for start in stride(from: 0, to: bytes.count, by: Self.partSize) {
            let end = min(start + Self.partSize, bytes.count)
            unsafe accumulator.update(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
        self = accumulator.digest
    }

    /// The digest of a text's UTF-8.
    public init(of text: String) {
        var text = text
        self = text.withUTF8 { unsafe ContentDigest(of: UnsafeRawBufferPointer($0)) }
    }

    /// The digest of a file; `inputMissing` when it cannot be read.
    public static func of(file path: String) throws(Failure) -> ContentDigest {
        let file = try MappedFile(path: path)
        // The bytes alone do not keep the mapping alive.
        return withExtendedLifetime(file) { unsafe ContentDigest(of: file.bytes) }
    }

    /// Reads what `hexadecimal` gives; nil for anything else.
    public init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 32, digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.high = high
        self.low = low
    }

    /// The digest as two numbers, for exchanges of words.
    public var words: [UInt64] { [high, low] }

    /// Reads what `words` gives.
    public init(words: (UInt64, UInt64)) {
        (high, low) = words
    }

    /// 32 lower-case hexadecimal digits, most significant first, as `xxhsum -H2` prints them.
    public var hexadecimal: String {
        [high, low].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The hexadecimal digits.
    public var description: String { hexadecimal }

    /// Makes a digest of content that comes in parts; the digest does not depend on how it is cut. Safe, since it
    /// owns its state.
    @safe public struct Accumulator: ~Copyable {
        private let state: OpaquePointer

        /// Starts with no content.
        public init() {
            // Creation fails only when memory is exhausted, in which case nothing else works either.
            guard let state = unsafe XXH3_createState() else { preconditionFailure("no memory for a digest") }
            unsafe XXH3_128bits_reset(state)
            unsafe self.state = state
        }

        deinit {
            unsafe XXH3_freeState(state)
        }

        /// Appends bytes to the content.
        public mutating func update(_ bytes: UnsafeRawBufferPointer) {
            unsafe XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
            Heartbeat.beat()
        }

        /// The digest of the content so far; more may follow.
        public var digest: ContentDigest { unsafe ContentDigest(XXH3_128bits_digest(state)) }
    }
}

extension ContentDigest: Codable {
    /// Reads the hexadecimal digits.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = ContentDigest(hexadecimal: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a digest is 32 lower-case hexadecimal digits")
        }
        self = digest
    }

    /// Writes the hexadecimal digits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hexadecimal)
    }
}
