import Failures
import TestSupport
import Testing

@testable import Tensors

/// A malformed file and words from its refusal.
struct Malformed: Sendable, CustomTestStringConvertible {
    let title: String
    let bytes: [UInt8]
    let words: [String]

    init(_ title: String, _ bytes: [UInt8], _ words: String...) {
        self.title = title
        self.bytes = bytes
        self.words = words
    }

    var testDescription: String { title }
}

private func entry(_ name: String, _ begin: Int, _ end: Int, dtype: String = "U8", shape: String? = nil) -> String {
    #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape ?? "[\(end - begin)]"),"data_offsets":[\#(begin),\#(end)]}"#
}

private func file(_ entries: String..., data: Int = 0) -> [UInt8] {
    safetensors("{\(entries.joined(separator: ","))}", data: [UInt8](repeating: 1, count: data))
}

@Suite struct SafetensorsRefusalTests {
    static let framing: [Malformed] = [
        Malformed("an empty file", [], "has 0 bytes, too short"),
        Malformed("seven bytes", [1, 2, 3, 4, 5, 6, 7], "has 7 bytes, too short"),
        Malformed("no header", safetensors("", length: 0), "must start with '{'"),
        Malformed("length beyond the file", safetensors("{}", length: 3), "a header of 3 bytes", "only 2"),
        Malformed("length too large", safetensors("{}", length: 100_000_001), "100000001 bytes", "more than"),
        Malformed("length of all ones", safetensors("{}", length: .max), "18446744073709551615 bytes"),
        Malformed("length negative when signed", safetensors("{}", length: 1 << 63), "more than the 100000000"),
        Malformed("length too short", safetensors("{}", length: 1), "byte 9", "text ends"),
        Malformed("pickle in a zip", [0x50, 0x4B, 3, 4] + [UInt8](repeating: 8, count: 60), "pickled", "convert it"),
        Malformed(
            "bare pickle", [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A], "pickled", "convert it"),
        Malformed(
            "Git LFS pointer", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8), "git lfs pull"),
        Malformed("web page", Array("<!DOCTYPE html><html></html>".utf8), "web page"),
    ]

    static let text: [Malformed] = [
        Malformed("array", safetensors("[]"), "must start with '{'"),
        Malformed("leading space", safetensors(" {}"), "must start with '{'"),
        Malformed("text after the object", safetensors("{}{"), "text after"),
        Malformed("zero bytes as padding", safetensors("{}\0"), "text after"),
        Malformed("trailing comma", safetensors("{" + entry("a", 0, 0) + ",}"), "'\"' expected"),
        Malformed("name without end", safetensors(#"{"a"#), "string without an end"),
        Malformed("bad escape", safetensors(#"{"\x":1}"#), "unknown escape"),
        Malformed("bad digits", safetensors(#"{"\u00g0":1}"#), "unknown escape"),
        Malformed("lone low surrogate", safetensors(#"{"\udc00":1}"#), "surrogate"),
        Malformed("lone high surrogate", safetensors(#"{"\ud800x":1}"#), "surrogate"),
        Malformed("two high surrogates", safetensors(#"{"\ud800\ud800":1}"#), "surrogate"),
        Malformed("line end in a name", safetensors("{\"a\nb\":1}"), "control character"),
        Malformed("not UTF-8", safetensors("{\"ab\":1}").map { $0 == UInt8(ascii: "b") ? 0xFF : $0 }, "not UTF-8"),
        Malformed(
            "half of a character", safetensors("{\"ab\":1}").map { $0 == UInt8(ascii: "b") ? 0xC3 : $0 }, "not UTF-8"),
        Malformed("entry that is a number", safetensors(#"{"a":1}"#), "tensor 'a'", "'{' expected"),
        Malformed("deep nesting", safetensors(#"{"a":"# + String(repeating: "[", count: 100_000)), "tensor 'a'"),
        Malformed("two tensors of a name", file(entry("a", 0, 1), entry("a", 1, 2), data: 2), "two entries named 'a'"),
        Malformed(
            "two tensors of a name, one escaped", file(entry("a", 0, 1), entry(#"\u0061"#, 1, 2), data: 2),
            "two entries named 'a'"),
        Malformed("metadata twice", safetensors(#"{"__metadata__":{},"__metadata__":{}}"#), "'__metadata__'"),
        Malformed("metadata key twice", safetensors(#"{"__metadata__":{"k":"1","k":"2"}}"#), "named 'k'"),
        Malformed("metadata of numbers", safetensors(#"{"__metadata__":{"k":1}}"#), "'\"' expected"),
        Malformed("metadata of a word", safetensors(#"{"__metadata__":nullx}"#), "expected"),
    ]

    static let fields: [Malformed] = [
        Malformed("unknown element type", file(entry("a", 0, 4, dtype: "F31"), data: 4), "'a'", "'F31' is not known"),
        Malformed("element type in lower case", file(entry("a", 0, 4, dtype: "f32"), data: 4), "'f32' is not known"),
        Malformed("no element type", safetensors(#"{"a":{"shape":[0],"data_offsets":[0,0]}}"#), "'dtype' is missing"),
        Malformed("no shape", safetensors(#"{"a":{"dtype":"U8","data_offsets":[0,0]}}"#), "'shape' is missing"),
        Malformed("no offsets", safetensors(#"{"a":{"dtype":"U8","shape":[0]}}"#), "must be two numbers"),
        Malformed(
            "one offset", safetensors(#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}"#), "must be two numbers"),
        Malformed(
            "three offsets", safetensors(#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}"#), "more than 2"),
        Malformed("shape twice", safetensors(#"{"a":{"shape":[0],"shape":[0]}}"#), "'shape' occurs twice"),
        Malformed("unknown key", safetensors(#"{"a":{"stride":[0]}}"#), "unknown key 'stride'"),
        Malformed("negative dimension", file(entry("a", 0, 4, shape: "[-4]"), data: 4), "'a'", "negative number"),
        Malformed("fractional dimension", file(entry("a", 0, 4, shape: "[4.0]"), data: 4), "not whole"),
        Malformed("dimension with exponent", file(entry("a", 0, 4, shape: "[4e0]"), data: 4), "not whole"),
        Malformed("leading zero", file(entry("a", 0, 4, shape: "[04]"), data: 4), "leading zero"),
        Malformed(
            "dimension beyond 64 bits", file(entry("a", 0, 4, shape: "[9223372036854775808]"), data: 4), "too large"),
        Malformed(
            "product beyond 64 bits", file(entry("a", 0, 4, shape: "[4294967296,4294967296]"), data: 4),
            "larger than any memory"),
        Malformed(
            "bytes beyond 64 bits", file(entry("a", 0, 4, dtype: "F64", shape: "[2305843009213693952]"), data: 4),
            "larger than any memory"),
        Malformed(
            "65 dimensions",
            file(
                entry("a", 0, 1, shape: "[" + [String](repeating: "1", count: 65).joined(separator: ",") + "]"), data: 1
            ),
            "more than 64 dimensions"),
        Malformed(
            "too few bytes for the shape", file(entry("a", 0, 3, shape: "[4]"), data: 3), "needs 4 bytes", "span 3"),
        Malformed(
            "too many bytes for the shape", file(entry("a", 0, 5, shape: "[4]"), data: 5), "needs 4 bytes", "span 5"),
        Malformed("too few bytes for the type", file(entry("a", 0, 4, dtype: "F64", shape: "[1]"), data: 4), "needs 8"),
        Malformed("reversed offsets", file(entry("a", 4, 0, shape: "[4]"), data: 4), "'a'", "reversed"),
        Malformed("negative offset", file(entry("a", -4, 0, shape: "[4]"), data: 4), "'a'", "negative number"),
    ]

    static let coverage: [Malformed] = [
        Malformed("data cut short", file(entry("a", 0, 4), data: 3), "cut short", "'a'", "byte 4", "only 3"),
        Malformed("no data", file(entry("a", 0, 4)), "cut short", "'a'"),
        Malformed("offsets beyond the end", file(entry("a", 0, 1), entry("b", 1, 900), data: 4), "cut short", "'b'"),
        Malformed("overlap", file(entry("a", 0, 3), entry("b", 2, 4), data: 4), "overlapping", "'a' and 'b'"),
        Malformed("the same place twice", file(entry("a", 0, 4), entry("b", 0, 4), data: 4), "overlapping"),
        Malformed("empty tensor inside another", file(entry("a", 0, 4), entry("b", 2, 2), data: 4), "overlapping"),
        Malformed("hole", file(entry("a", 0, 1), entry("b", 2, 4), data: 4), "hole of 1 bytes", "'b'"),
        Malformed("hole at the start", file(entry("a", 1, 4), data: 4), "hole of 1 bytes", "'a'"),
        Malformed("garbage at the end", file(entry("a", 0, 4), data: 9), "5 bytes after its last tensor"),
        Malformed("garbage without tensors", safetensors("{}", data: [0]), "1 bytes after"),
    ]

    @Test(arguments: framing + text + fields + coverage)
    func `a malformed file is refused by name with a remedy`(_ malformed: Malformed) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("weights.safetensors")
        let out = try DurableFile(creating: path)
        try out.write(malformed.bytes)
        _ = try out.finish()
        let refusal = try #require(failure { _ = try SafetensorsFile(path: path) })
        #expect(refusal.code == .badData)
        #expect(refusal.message.contains(path))
        for words in malformed.words {
            #expect(refusal.message.contains(words), "'\(words)' is not in: \(refusal.message)")
        }
        #expect(refusal.message.contains { $0 == ";" }, "no remedy: \(refusal.message)")
        #expect(!refusal.message.contains("\n"))
    }

    @Test func `a hostile name neither breaks the line nor floods it`() throws {
        let name = #"\u001b[31m\n"# + String(repeating: "x", count: 50_000)
        let refusal = failure {
            try withSafetensors(safetensors("{" + entry(name, 0, 4) + "}")) { _ in }
        }
        let message = try #require(refusal?.message)
        #expect(message.utf8.count < 1_000)
        #expect(!message.unicodeScalars.contains { $0.value < 0x20 })
    }

    @Test func `a pickle's magic as a valid header length is not taken for one`() throws {
        // A header of 0x0280 bytes makes the file start with 80 02, like a pickle.
        let header = "{}" + String(repeating: " ", count: 0x280 - 2)
        try withSafetensors(safetensors(header)) { #expect($0.tensors.isEmpty) }
    }
}
