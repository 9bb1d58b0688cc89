import Failures
import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite struct LineGroupTests {
    private static func lines(_ bytes: [UInt8], limit: Int = 3, longest: Int = 40) throws -> [LineGroup.Line] {
        let directory = try TemporaryDirectory()
        try Data(bytes).write(to: URL(fileURLWithPath: directory.file("lines")))
        let input = try InputLines(directory.file("lines"), longest: longest)
        let whole = try input.wholeDigest()
        var all: [LineGroup.Line] = []
        while case let group = try input.next(lines: limit, bytes: 1 << 20), group.count > 0 {
            #expect(group.first == all.count + 1)
            all += (0..<group.count).map { group[$0] }
        }
        #expect(input.consumed == bytes.count && input.lines == all.count && input.digest == whole)
        return all
    }

    @Test func `lines are cut at line feeds, and what is no text or too long is told apart`() throws {
        #expect(try Self.lines([]) == [])
        #expect(try Self.lines(Array("\u{FEFF}a\r\n\nb".utf8)) == [.text("a"), .text(""), .text("b")])
        #expect(try Self.lines([0xFF, 0x0A, 0x61, 0x0A]) == [.notUTF8, .text("a")])
        for length in [40, 41, 1 << 16, 200_000] {
            let long = [UInt8](repeating: 0x61, count: length)
            let expected: LineGroup.Line = length == 40 ? .text(String(repeating: "a", count: 40)) : .tooLong
            #expect(try Self.lines(long) == [expected])
            #expect(try Self.lines([0x62, 0x0A] + long + [0x0A, 0x63]) == [.text("b"), expected, .text("c")])
        }
    }

    @Test(arguments: [("rows.csv", "is CSV by its name"), ("lines.jsonl.gz", "is packed; give it as in gunzip -c")])
    func `files that would be read as other texts than they hold are refused`(name: String, says: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(name, "text,label\n\"a, b\",0\n")
        let failure = try #require(throws: Failure.self) { _ = try InputLines(directory.file(name)) }
        #expect(failure.code == .usage && failure.message.contains(says), "\(failure.message)")
    }

    @Test func `a group has the limits' size, and one line more than its bytes`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("lines", String(repeating: "abcd\n", count: 10))
        let input = try InputLines(directory.file("lines"))
        #expect(try input.next(lines: 3, bytes: 100).count == 3)
        #expect(try input.next(lines: 9, bytes: 9).count == 3)
        try input.skip(8)
        #expect(try input.next(lines: 9, bytes: 99).count == 2)
        #expect(throws: (any Error).self) { try input.skip(11) }
    }

    @Test func `other ranks get the same group`() throws {
        var group = LineGroup(first: 12_345_678_901)
        for text in ["a", "", "é"] { group.append(text.utf8) }
        group.appendTooLong()
        group.append([0xC3])
        let copy = try LineGroup(encoded: group.encoded)
        #expect(copy == group && copy.count == 5)
        #expect((0..<5).map { copy[$0] } == [.text("a"), .text(""), .text("é"), .tooLong, .notUTF8])
        #expect(try LineGroup(encoded: LineGroup(first: 1).encoded).count == 0)
        var part = LineAnswers.Part()
        (part.bytes, part.bad) = ([1, 2], 300)
        #expect(LineAnswers.Part(encoded: part.encoded) == part)
    }

    @Test(arguments: [0, 1, 3, 100], [1, 2, 4, 7])
    func `the ranks' shares are all lines, in order and of about the same length`(count: Int, size: Int) {
        var group = LineGroup(first: 1)
        for i in 0..<count { group.append([UInt8](repeating: 0x61, count: i * 7 % 200)) }
        let shares = (0..<size).map { group.share(of: $0, size: size) }
        #expect(shares.flatMap { Array($0) } == Array(0..<count))
        guard count == 100 else { return }
        let lengths = shares.map { $0.reduce(0) { $0 + $1 * 7 % 200 + 32 } }
        #expect(lengths.max()! - lengths.min()! <= 2 * 232)
    }

    @Test func `a line of output is JSON with the id as it was`() throws {
        let text = "a\"b\\c/\u{0}\u{1F}\n\t\r é \u{1F600}"
        let line = AnswerLine { object in
            object.add("answer", text)
            object.add("id", raw: "1.50e3")
            object.add("label", ifAny: String?.none)
            object.add("line", 7)
            object.add("lost", ["x", text])
            object.add("score", ifAny: 3)
            object.add("scores", [("a", -0.1), ("b\"", -1e-17), ("c", 0)])
            object.add("truncated", ifTrue: true)
            object.add("unfinished", ifTrue: false)
            object.add("unknown", ifAny: 0.333)
        }
        let plain = String(decoding: line.bytes, as: UTF8.self)
        #expect(plain.hasSuffix("}\n") && plain.contains(#""id":1.50e3,"line":7"#) && plain.contains(#""score":3,"#))
        let read = try #require(try JSONSerialization.jsonObject(with: Data(line.bytes)) as? [String: Any])
        #expect(read["answer"] as? String == text && read["lost"] as? [String] == ["x", text])
        #expect(read["scores"] as? [String: Double] == ["a": -0.1, "b\"": -1e-17, "c": 0])
        #expect(read["truncated"] as? Bool == true && read["unfinished"] == nil && read["label"] == nil)
        #expect(read["unknown"] as? Double == 0.333)
    }
}
