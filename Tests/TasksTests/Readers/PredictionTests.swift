import Failures
import Tasks
import TestSupport
import Testing
import Text

@Suite struct PredictionTests {
    let fixture: CacheFixture

    init() throws {
        fixture = try CacheFixture()
    }

    private func prediction(_ name: String, maxSource: Int = 128) throws -> Prediction {
        Prediction(try fixture.task(name), vocabulary: fixture.vocabulary, maxSource: maxSource)
    }

    @Test func `a line gives the ids that the cache has for the same row`() throws {
        let cached = try #require(try fixture.open().task("rte").split(.train))
        let object = "{\"sentence2\": \"B.\", \"idx\": 3, \"sentence1\": \"A.\"}"
        for line in ["A.\tB.", object, "  " + object + " "] {
            let source = try prediction("rte").source(ofLine: line)
            #expect(source.text == "rte sentence1: A. sentence2: B.")
            #expect(source.ids == Array(cached.source(0)))
            #expect(!source.isTruncated)
        }
        // A tab ends the first column, whatever follows.
        #expect(try prediction("rte").source(ofLine: "\t{B.").text == "rte sentence1:  sentence2: {B.")
        let cut = try prediction("rte", maxSource: 5).source(ofLine: "A.\tB.")
        #expect(cut.isTruncated && cut.ids == Array(cached.source(0).prefix(4)) + [1])
    }

    @Test func `numbers and booleans are read as a JSONL file's`() throws {
        let source = try prediction("rte").source(
            ofLine: "{\"sentence1\": 0.50, \"sentence2\": true}")
        #expect(source.text == "rte sentence1: 0.50 sentence2: true")
    }

    @Test func `bad lines are refused with the reason`() throws {
        let prediction = try prediction("rte")
        for blank in ["", "  "] {
            expectFailure(.badData, "the line is blank; remove it", "{\"sentence1\": \"\"}") {
                try prediction.source(ofLine: blank)
            }
        }
        for (value, kind) in [("null", "null"), ("[1]", "a list"), ("{}", "an object")] {
            expectFailure(.badData, "the value of \"sentence1\" is \(kind), but must be a text") {
                try prediction.source(
                    ofLine: "{\"sentence1\": \(value), \"sentence2\": \"b\"}")
            }
        }
        expectFailure(.badData, "the line has 1 column", "sentence1, sentence2") {
            try prediction.source(ofLine: "A.")
        }
        expectFailure(.badData, "the object has no key \"sentence2\"") {
            try prediction.source(ofLine: "{\"sentence1\": \"A.\"}")
        }
        for line in ["{", "{}x", "{\"sentence1\": \"a\", \"sentence1\": \"b\"}"] {
            expectFailure(.badData, "not a JSON object") {
                try prediction.source(ofLine: line)
            }
        }
    }

    @Test func `a field may lead into an object, as in a JSONL file`() throws {
        let task = try TaskDefinition(
            name: "t", format: .jsonLines, fields: [Field("text"), Field("target.span")], label: .named("label"),
            template: "{{{target.span}}} in {text}", answers: .classes(["0", "1"]),
            labels: LabelMap(classes: ["x", "y"]),
            metrics: [.accuracy], splits: SplitDefinition.splits(train: ["f"]))
        let prediction = Prediction(task, vocabulary: fixture.vocabulary, maxSource: 128)
        #expect(try prediction.source(ofLine: #"{"text": "a", "target": {"span": "b"}}"#).text == "{b} in a")
        #expect(try prediction.source(ofLine: #"{"target.span": "b", "text": "a"}"#).text == "{b} in a")
        expectFailure(.badData, "the object under \"target\" has no key \"span\"; task \"t\" reads text, target.span") {
            try prediction.source(ofLine: #"{"text": "a", "target": {"word": "b"}}"#)
        }
    }

    @Test func `generated ids become answers`() throws {
        func ids(_ text: String) throws -> [Int32] { try fixture.vocabulary.encode(text) + [1, 5, 6] }
        let rte = try prediction("rte").answer(ids("1"))
        #expect(rte.text == "1" && rte.label == 1 && rte.labelName == "not_entailment" && rte.score == nil)
        #expect(try prediction("rte").answer(ids("what")).label == nil)
        let stsb = try prediction("stsb").answer(ids("3.4"))
        #expect(stsb.score == 3.4 && stsb.label == nil)
        #expect(try prediction("stsb").answer(ids("what")).score == nil)
        #expect(try prediction("rte").answer([Int32]()).text == "")
    }
}
