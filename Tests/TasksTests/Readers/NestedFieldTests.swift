import Failures
import Tasks
import TestSupport
import Testing

@Suite struct NestedFieldTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func examples(_ line: String) throws -> TaskExamples {
        let path = try directory.write(
            "n.jsonl", #"{"a": {"b": {"c": "x"}, "d": 1}, "e.f": "y", "label": 0}"# + "\n" + line)
        return try TaskExamples(
            TaskDefinition(
                name: "t", format: .jsonLines,
                fields: [Field("a.b.c"), Field("d", column: .named("a.d")), Field("e.f")],
                label: .named("label"), template: "{{{a.b.c}}} {d} {e.f}", answers: .classes(["0", "1"]),
                labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
                splits: SplitDefinition.splits(train: [path])))
    }

    @Test func `a dot leads into an object, and a key may have a dot itself`() throws {
        let read = try examples(#"{"e": {"f": true}, "a": {"d": 2.50, "b.c": "z", "b": [1]}, "label": 1}"#)
        #expect(try (0..<2).map { try read.example(.train, $0).source } == ["{x} 1 y", "{z} 2.50 true"])
    }

    @Test(arguments: [
        (#"{"e.f": 1, "label": 0}"#, "the object has no key \"a.b.c\", and none \"a\""),
        (#"{"a": {"d": 1}, "e.f": 1, "label": 0}"#, "the object under \"a\" has no key \"b.c\""),
        (#"{"a": {"b": {}, "d": 1}, "e.f": 1, "label": 0}"#, "the object under \"a.b\" has no key \"c\""),
        (#"{"a": {"b": "x", "d": 1}, "e.f": 1, "label": 0}"#, "the value of \"a.b\" is no object, so it has no \"c\""),
        (#"{"a": null, "e.f": 1, "label": 0}"#, "the value of \"a\" is no object, so it has no \"b.c\""),
        (#"{"a": {"b": {"c": []}, "d": 1}, "e.f": 1, "label": 0}"#, "the value of \"a.b.c\" is no text"),
        (#"{"a": {"b": {"c": 1}, "d": 1, "d": 2}, "e.f": 1, "label": 0}"#, "the key \"d\" occurs twice"),
        (
            #"{"a": {"b": {"c": 1}, "d": 1}, "e.f": 1, "e": {"f": 2}, "label": 0}"#,
            "there are two values for \"e.f\", as one key and in an object"
        ),
        (#"{"a": {"b": {"c": 1}, "d": 1}, "e.f": 1}"#, "the object has no key \"label\""),
    ])
    func `a part that is absent is named with its place`(line: String, reason: String) {
        expectFailure(.badData, "n.jsonl:2: ", reason) { try examples(line) }
    }
}
