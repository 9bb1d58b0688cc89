import Foundation
import Testing

@testable import Tensors

@Suite struct JSONReaderTests {
    /// Whether the whole text is one value.
    private func accepts(_ text: String) -> Bool {
        Array(text.utf8).withUnsafeBytes { buffer in
            var reader = JSONReader(buffer)
            do {
                try reader.skipValue()
                return reader.peek() == nil
            } catch {
                return false
            }
        }
    }

    @Test(arguments: [
        "0", "-0", "-1.5e+10", "1E5", "true", "false", "null", "\"\"", "\"\\u00e9\\n\"", "[]", "[1]", "[1,2 , [3]]",
        "{}",
        "{\"a\":[{}]}", " { \"a\" : 1 , \"b\" : \"x\" } \n", "01", "1.", ".5", "+1", "-", "1e", "nul", "True", "NaN",
        "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\" 1}", "\"", "\"\\\"", "\"\\a\"", "\"\t\"",
        "[",
        "]", "{", "", " ", "1 2", "'a'", "\"\\ud83d\\ude00\"", "--1", "1.2.3", "1e5.5", "\"\\u12\"",
    ])
    func `it accepts what Foundation's strict reader accepts`(_ text: String) {
        let foundation = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
        #expect(accepts(text) == foundation)
    }

    @Test func `a comma before the end is refused`() {
        // Foundation's reader accepts these on Linux.
        #expect(!accepts("[1,]"))
        #expect(!accepts("{\"a\":1,}"))
    }

    @Test func `nesting is bounded`() {
        #expect(accepts(String(repeating: "[", count: 30) + String(repeating: "]", count: 30)))
        #expect(!accepts(String(repeating: "[", count: 40) + String(repeating: "]", count: 40)))
    }

    @Test(arguments: [("0", 0), ("7 ", 7), ("9223372036854775807", Int.max), ("12]", 12)])
    func `natural numbers are read to their end`(_ text: String, _ expected: Int) throws {
        let bytes = Array(text.utf8)
        let value = try bytes.withUnsafeBytes { buffer in
            var reader = JSONReader(buffer)
            return try reader.natural()
        }
        #expect(value == expected)
    }
}
