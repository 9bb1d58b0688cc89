import Foundation
import Testing

/// What fuzzing began with and what it found, fed to the parsers in every test run (docs/fuzzing.md).
@Suite struct CorpusTests {
    private static let corpus = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("corpus")

    @Test(.timeLimit(.minutes(1)), arguments: Parser.allCases)
    func `every committed input is parsed or refused`(parser: Parser) throws {
        let directory = Self.corpus.appendingPathComponent(parser.rawValue)
        let files = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            // In memory of exactly their size, so that address checking sees a read beyond it.
            let bytes = [UInt8](try Data(contentsOf: file))
            bytes.withUnsafeBytes { parser($0) }
            // What ends early is what a parser meets most often.
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
