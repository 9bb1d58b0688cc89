import Failures
import Testing

@testable import Tensors

@Suite struct StableJSONTests {
    private let value = ["b": 2.0, "a/b": 0.5]

    @Test func `a line has sorted keys, plain slashes and no end`() throws {
        #expect(String(decoding: try StableJSON.line(value, "x"), as: UTF8.self) == #"{"a/b":0.5,"b":2}"#)
    }

    @Test func `a document is indented`() throws {
        let text = String(decoding: try StableJSON.document(value, "x"), as: UTF8.self)
        #expect(text == "{\n  \"a/b\" : 0.5,\n  \"b\" : 2\n}")
    }

    @Test func `a number that JSON does not have is refused by name or becomes text`() throws {
        let bad = ["x": Double.nan, "y": -.infinity]
        let failure = #expect(throws: Failure.self) { try StableJSON.line(bad, "the report") }
        #expect(failure?.code == .internal)
        #expect(failure?.message.hasPrefix("the report cannot be encoded") == true)
        let line = try StableJSON.line(bad, "the report", nonFiniteAsText: true)
        #expect(String(decoding: line, as: UTF8.self) == #"{"x":"nan","y":"-inf"}"#)
    }
}
