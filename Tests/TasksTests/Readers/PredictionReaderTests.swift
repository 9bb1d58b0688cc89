import Failures
import Tasks
import TestSupport
import Testing
import Text

@Suite struct PredictionReaderTests {
    let fixture: CacheFixture

    init() throws {
        fixture = try CacheFixture()
    }

    /// Tasks with fields named `id` and `task`, beside ordinary ones.
    private func reader(task name: String?) throws -> PredictionReader {
        func task(_ name: String, _ fields: [String]) throws -> TaskDefinition {
            try TaskDefinition(
                name: name, format: .jsonLines, fields: fields.map { Field($0) },
                label: .named("label"), answers: .classes(["0", "1"]),
                labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
                splits: [SplitDefinition(.train, .files(["train.jsonl"]))])
        }
        let definitions = try [fixture.task("rte"), task("ids", ["id"]), task("tasks", ["task", "text"])]
        return PredictionReader(
            definitions, task: name.flatMap { name in definitions.firstIndex { $0.name == name } },
            vocabulary: fixture.vocabulary, maxSource: 128)
    }

    private func line(_ text: String, task: String? = nil) throws -> PredictionReader.Line {
        try reader(task: task).line(text).get()
    }

    private func refusal(_ text: String, task: String? = nil) throws -> PredictionReader.Refusal? {
        if case .failure(let refusal) = try reader(task: task).line(text) { refusal } else { nil }
    }

    @Test func `a line names its task, and its id is kept as it is written`() throws {
        let texts = "\"sentence1\": \"A.\", \"sentence2\": \"B.\""
        for id in ["7", "1.50", "-0", "12345678901234567890123", "\"a\\u00e9\\/\"", "true", "null"] {
            let line = try line("{\"id\" : \(id) , \"task\": \"rte\", \(texts)}")
            #expect(line.id == id && line.task == 0)
            #expect(line.source.text == "rte sentence1: A. sentence2: B.")
        }
        #expect(try line("{\(texts)}", task: "rte").id == nil)
        // JSON allows spaces around an object.
        for task in ["rte", nil] {
            let line = try line("  {\"task\": \"rte\", \"id\": 7, \(texts)} ", task: task)
            #expect(line.id == "7" && line.task == 0 && line.source.text == "rte sentence1: A. sentence2: B.")
        }
        #expect(try refusal("  {\"id\": 8, ", task: "rte")?.id == "8")
        #expect(try line("{\"task\": \"rte\", \(texts)}", task: "rte").task == 0)
        #expect(try line("A.\tB.", task: "rte").source.text == "rte sentence1: A. sentence2: B.")
    }

    @Test func `a field named id is both, and one named task only a field`() throws {
        let both = try line("{\"task\": \"ids\", \"id\": 5}")
        #expect(both.id == "5" && both.source.text == "ids id: 5")
        let field = try line("{\"task\": \"rte\", \"text\": \"x\", \"id\": 1}", task: "tasks")
        #expect(field.id == "1" && field.task == 2 && field.source.text == "tasks task: rte text: x")
        #expect(
            try refusal("{\"task\": \"tasks\", \"text\": \"x\"}")?.reason.contains("has a field named task") == true)
    }

    @Test(
        arguments: [
            ("{\"task\": \"x\", \"id\": 3}", nil, "3", "there is no task \"x\"; the tasks are rte, ids, tasks"),
            ("{\"id\": 3}", nil, "3", "the object has no key \"task\""),
            ("{\"id\": 3, \"task\": \"ids\"}", "rte", "3", "the line names task \"ids\""),
            ("{\"id\": 3, \"task\": {}}", nil, "3", "the value of \"task\" is an object"),
            ("{\"id\": {}, \"task\": \"rte\"}", nil, nil, "the value of \"id\" is an object"),
            ("{\"id\": 3, \"task\": \"rte\", \"task\": \"ids\"}", nil, "3", "the key \"task\" occurs twice"),
            ("{\"id\": 3, \"id\": 4, \"task\": \"ids\"}", nil, "4", "the key \"id\" occurs twice"),
            ("{\"id\": 3, \"task\": \"rte\"}", nil, "3", "the object has no key \"sentence1\""),
            ("{\"id\": 3, ", nil, "3", "not a JSON object (byte 11"),
            ("A.\tB.", nil, nil, "the line is no JSON object, so it names no task"),
            (" ", nil, nil, "the line is blank"), ("", "rte", nil, "the line is blank"),
            ("A.", "rte", nil, "the line has 1 column"),
        ] as [(String, String?, String?, String)])
    func `what cannot be answered has a reason and its id`(
        text: String, task: String?, id: String?, reason: String
    ) throws {
        let refusal = try #require(try refusal(text, task: task))
        #expect(refusal.id == id)
        #expect(refusal.reason.hasPrefix(reason), "\(refusal.reason)")
    }
}
