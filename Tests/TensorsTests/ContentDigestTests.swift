import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct ContentDigestTests {
    /// Values of python-xxhash 4.1.0: `xxhash.xxh3_128_hexdigest(...)`.
    static let known = [
        ("", "99aa06d3014798d86001c324468d497f"), ("abc", "06b05ab6733a618578af5f94892f3950"),
        (String(repeating: "0123456789", count: 100), "c9df19c4eccbf540dbdf770360da5ac5"),
    ]

    @Test(arguments: known)
    func `known answers`(_ text: String, _ expected: String) {
        #expect(ContentDigest(of: text).hexadecimal == expected)
    }

    @Test func `the digest does not depend on how the content is cut`() {
        let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        bytes.withUnsafeBytes { buffer in
            for size in [1, 3, 64, 1_000, 4_999, 5_000] {
                var accumulator = ContentDigest.Accumulator()
                var start = 0
                while start < buffer.count {
                    let end = min(start + size, buffer.count)
                    accumulator.update(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
                    start = end
                }
                #expect(accumulator.digest == ContentDigest(of: buffer))
            }
        }
    }

    @Test func `a file has the digest of its content`() throws {
        let directory = try TemporaryDirectory()
        #expect(try ContentDigest.of(file: try directory.write("abc", "abc")) == ContentDigest(of: "abc"))
        #expect(try ContentDigest.of(file: try directory.write("empty", "")) == ContentDigest(of: ""))
    }

    @Test func `digests travel as text`() throws {
        let digest = ContentDigest(of: "abc")
        #expect(ContentDigest(hexadecimal: digest.hexadecimal) == digest)
        let json = try JSONEncoder().encode([digest])
        #expect(String(decoding: json, as: UTF8.self) == "[\"\(digest.hexadecimal)\"]")
        #expect(try JSONDecoder().decode([ContentDigest].self, from: json) == [digest])
        for text in [
            "", "12", digest.hexadecimal.uppercased(), digest.hexadecimal + "0", "+" + digest.hexadecimal.dropFirst(),
        ] {
            #expect(ContentDigest(hexadecimal: text) == nil)
        }
    }
}
