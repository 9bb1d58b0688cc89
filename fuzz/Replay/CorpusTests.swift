import Foundation
import Testing

/// The seeds and findings of fuzzing, which every test run feeds to the parsers (docs/fuzzing.md).
@Suite struct CorpusTests {
    private static let corpus = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("corpus")

    @Test(.timeLimit(.minutes(1)), arguments: Parser.allCases)
    func `every committed input is parsed or refused`(parser: Parser) throws {
        let directory = Self.corpus.appendingPathComponent(parser.rawValue)
        let files = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            // The memory has exactly the size of the input, so that address checking detects a read beyond it.
            let bytes = [UInt8](try Data(contentsOf: file))
            bytes.withUnsafeBytes { parser($0) }
            // Truncated input is what a parser meets most often.
            for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 16)) {
                Array(bytes[..<length]).withUnsafeBytes { parser($0) }
            }
        }
    }

    @Test func `every directory of inputs is of a parser`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
        #expect(Set(names) == Set(Parser.allCases.map(\.rawValue)))
    }
}
