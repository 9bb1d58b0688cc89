import Testing

@testable import Runs

/// Lines of comma-separated values.
@Suite struct CSVTests {
    @Test(arguments: [
        (["a", "", "1.5"], "a,,1.5\n"), (["a,b", "say \"x\""], "\"a,b\",\"say \"\"x\"\"\"\n"),
        (["two\nlines", "two\r\nlines", "\r"], "\"two\nlines\",\"two\r\nlines\",\"\r\"\n"), (["é 日本"], "é 日本\n"),
    ])
    func `fields are quoted only where they must be`(fields: [String], line: String) {
        // Bytes, since Swift compares texts by what they show.
        #expect(Array(CSV.line(fields).utf8) == Array(line.utf8))
    }
}
