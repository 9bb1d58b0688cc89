import Failures
import Tasks
import TestSupport
import Testing

@Suite struct SuperGLUETests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try Self.write(to: directory)
    }

    /// Writes small files of all tasks in the published form.
    static func write(to directory: TemporaryDirectory) throws {
        for (folder, rows) in rows {
            for (file, count) in [("train", 3), ("val", 2)] {
                let lines = (0..<count).map { rows[$0 % rows.count].replacing("#", with: "\(file)\($0)") + "\n" }
                try directory.write("\(folder)/\(file).jsonl", lines.joined())
            }
        }
    }

    /// Lines in the published form, with other texts; # makes them different.
    static let rows = [
        "BoolQ": [
            ##"{"question": "is it # so", "passage": "It is -- so.", "idx": 0, "label": true}"##,
            ##"{"question": "is it # so", "passage": "No.", "idx": 1, "label": false}"##,
        ],
        "CB": [
            ##"{"premise": "A: It # rains.", "hypothesis": "it rains", "label": "entailment", "idx": 0}"##,
            ##"{"premise": "A: It # rains.", "hypothesis": "it snows", "label": "contradiction", "idx": 1}"##,
            ##"{"premise": "A: It # rains.", "hypothesis": "it is cold", "label": "neutral", "idx": 2}"##,
        ],
        "COPA": [
            ##"{"premise": "It # rained.", "choice1": "I ran.", "choice2": "I sang.", "question": "effect", "label": 0, "idx": 0}"##,
            ##"{"premise": "I # ran.", "choice1": "It was fun.", "choice2": "It rained.", "question": "cause", "label": 1, "idx": 1}"##,
        ],
        "MultiRC": [
            ##"{"idx": 0, "version": 1.1, "passage": {"text": "A # b. C d.", "questions": [{"question": "What is A?", "answers": [{"text": "b", "idx": 0, "label": 1}, {"text": "d", "idx": 1, "label": 0}], "idx": 0}, {"question": "What is C?", "answers": [{"text": "d", "idx": 2, "label": 1}], "idx": 1}]}}"##,
            ##"{"passage": {"questions": [{"answers": [{"label": 0, "text": "f"}], "question": "What is E?"}], "text": "E # g."}, "idx": 1}"##,
        ],
        "RTE": [
            ##"{"premise": "A # b.", "hypothesis": "B.", "label": "entailment", "idx": 0}"##,
            ##"{"premise": "C # d.", "hypothesis": "E.", "label": "not_entailment", "idx": 1}"##,
        ],
        "WiC": [
            ##"{"word": "bank", "sentence1": "A # bank.", "sentence2": "The bank.", "idx": 0, "label": false, "start1": 2, "start2": 4, "end1": 6, "end2": 8, "version": 1.1}"##
        ],
        "WSC": [
            ##"{"text": "Ann # met Sue and she smiled.", "target": {"span2_index": 5, "span1_index": 0, "span1_text": "Ann", "span2_text": "she"}, "idx": 0, "label": true}"##
        ],
    ]

    private func examples(_ name: String, style: LabelStyle = .digits, splits: SplitRule = .paper) throws
        -> TaskExamples
    {
        try TaskExamples(SuperGLUE.task(name, directory: directory.path, style: style, splits: splits))
    }

    @Test(arguments: [
        ("boolq", "boolq question: is it train0 so passage: It is -- so.", "1", "True"),
        ("cb", "cb premise: A: It train0 rains. hypothesis: it rains", "0", "entailment"),
        (
            "copa", "copa premise: It train0 rained. choice1: I ran. choice2: I sang. question: effect", "0", "choice1"
        ),
        ("multirc", "multirc question: What is A? answer: b paragraph: A train0 b. C d.", "1", "True"),
        ("superglue_rte", "superglue_rte premise: A train0 b. hypothesis: B.", "0", "entailment"),
        ("wic", "wic word: bank sentence1: A train0 bank. sentence2: The bank.", "0", "False"),
        ("wsc", "wsc span1: Ann span2: she text: Ann train0 met Sue and she smiled.", "1", "True"),
    ])
    func `every task has its own text and labels`(name: String, source: String, digit: String, word: String) throws {
        let example = try examples(name).example(.train, 0)
        #expect(example.source == source && example.target == digit)
        #expect(try examples(name, style: .words).example(.train, 0).target == word)
        let (halved, whole) = (try examples(name), try examples(name, splits: .dev))
        #expect(halved.splitNames == [.train, .validation, .test] && whole.splitNames == [.train, .validation])
        #expect(halved.count(.validation) + halved.count(.test) == whole.count(.validation))
    }

    @Test func `the classes are in the order of their digits`() throws {
        let labels = try SuperGLUE.names.map { try SuperGLUE.task($0, directory: directory.path).labelNames }
        #expect(labels[1] == ["entailment", "contradiction", "neutral"] && labels[0] == ["false", "true"])
        #expect(try SuperGLUE.task("multirc", directory: directory.path).positiveClass?.label == "1")
    }

    @Test func `each answer of MultiRC is a row, with the line of its passage`() throws {
        let multirc = try examples("multirc")
        #expect(multirc.report.files.map(\.rows) == [7, 4])
        let rows = try (0..<7).map { try multirc.example(.train, $0) }
        #expect(
            rows.map(\.line) == [1, 1, 1, 2, 3, 3, 3] && rows.map(\.target) == ["1", "0", "1", "0", "1", "0", "1"])
        #expect(rows[2].source == "multirc question: What is C? answer: d paragraph: A train0 b. C d.")
        // The keys of the second line are in another order.
        #expect(rows[3].source == "multirc question: What is E? answer: f paragraph: E train1 g.")
    }

    @Test func `what is no task or no directory is refused`() {
        expectFailure(.badConfiguration, "\"record\" is no task of SuperGLUE") {
            try SuperGLUE.task("record", directory: directory.path)
        }
        expectFailure(.inputMissing, "/absent does not exist; give the one that holds BoolQ") {
            try SuperGLUE.task("cb", directory: directory.path + "/absent")
        }
    }

    @Test(.enabled(if: ReferenceMaterial.directory != nil, "needs SuperGLUE's files, which are not distributed here"))
    func `the real files are read completely`() throws {
        let counts = try ["cb", "copa"].map { name in
            let task = try SuperGLUE.task(name, directory: ReferenceMaterial.path("data/superglue"))
            let examples = try TaskExamples(task)
            #expect(examples.report.files.allSatisfy { $0.rows == $0.examples })
            #expect(task.publishedRows(of: "val.jsonl") == examples.report.files[1].rows)
            return examples.splitNames.map(examples.count)
        }
        #expect(counts == [[250, 28, 28], [369, 50, 50]])
    }
}
