import Failures
import Tasks
import TestSupport
import Testing

@Suite struct GLUETests {
    let fixture: GLUEFixture

    init() throws {
        fixture = try GLUEFixture()
    }

    private func first(_ name: String, style: LabelStyle = .digits) throws -> Example {
        try TaskExamples(GLUE.task(name, directory: fixture.path, style: style)).example(.train, 0)
    }

    @Test func `every task has its own text, columns and digits`() throws {
        let expected: [String: (String, String)] = [
            "cola": ("cola sentence: They \"won't\" buy it.", "1"),
            "mrpc": ("mrpc sentence1: \"Open quote. sentence2: \"Other.", "1"),
            "stsb": ("stsb sentence1: A plane. sentence2: An air plane.", "5.0"),
            "rte": ("rte sentence1: A. sentence2: B.", "1"),
            "wnli": ("wnli sentence1: I stuck a pin. sentence2: It had a hole.", "1"),
        ]
        for (name, texts) in expected {
            let example = try first(name)
            #expect(example.source == texts.0)
            #expect(example.target == texts.1)
        }
        let all = try GLUE.tasks(directory: fixture.path)
        #expect(all.map(\.name) == GLUE.names)
        for definition in all {
            let example = try TaskExamples(definition).example(.test, 0)
            #expect(example.source.hasPrefix(definition.name + " "))
        }
        let sst2 = try TaskExamples(GLUE.task("sst2", directory: fixture.path))
        #expect(try sst2.example(.test, 0).source == "sst2 sentence: fine ")
        let qqp = try TaskExamples(GLUE.task("qqp", directory: fixture.path))
        #expect(try qqp.example(.test, 0).source == "qqp question1: Who? question2: Who is it?")
        let qnli = try TaskExamples(GLUE.task("qnli", directory: fixture.path))
        #expect(try qnli.example(.test, 0).source == "qnli question: What? sentence: That.")
        #expect(try qnli.example(.test, 0).target == "0")
        let mnli = try TaskExamples(GLUE.task("mnli", directory: fixture.path))
        #expect(try mnli.example(.test, 0).source == "mnli premise: Premise 1. hypothesis: Hypothesis 1.")
        #expect(try mnli.example(.test, 0).gold == .label(1))
    }

    @Test func `labels can be T5's words`() throws {
        #expect(try first("cola", style: .words).target == "acceptable")
        #expect(try first("mrpc", style: .words).target == "equivalent")
        #expect(try first("rte", style: .words).target == "not_entailment")
        #expect(try first("wnli", style: .words).target == "entailment")
        #expect(try first("stsb", style: .words).target == "5.0")
        let words = try GLUE.names.map { try GLUE.task($0, directory: fixture.path, style: .words).answers }
        #expect(words[1] == .classes(["negative", "positive"]))
        #expect(words[3] == .classes(["not_duplicate", "duplicate"]))
        #expect(words[5] == .classes(["entailment", "neutral", "contradiction"]))
        #expect(words[6] == .classes(["entailment", "not_entailment"]))
    }

    @Test func `scores stay raw and targets go to the nearest fifth, halves to even`() throws {
        let stsb = try TaskExamples(GLUE.task("stsb", directory: fixture.path))
        #expect(try stsb.example(.train, 1).gold == .score(0.5))
        #expect(try stsb.example(.train, 1).target == "0.4")
        #expect(try stsb.example(.train, 2).target == "2.4")
        let space = stsb.definition.answers
        #expect(space.targetCount == 26)
        let targets = [0.0, 0.09, 0.1, 0.11, 0.3, 1.5, 2.5, 3.7, 4.95, 5.0].map { space.targetText(of: .score($0)) }
        #expect(targets == ["0.0", "0.0", "0.0", "0.2", "0.4", "1.6", "2.4", "3.6", "5.0", "5.0"])
    }

    @Test func `incomplete rows of QQP and undecided rows of MNLI are left out and counted`() throws {
        let qqp = try TaskExamples(GLUE.task("qqp", directory: fixture.path))
        #expect(qqp.report.files[0].incompleteRows == 2)
        #expect(qqp.count(.train) == 3 && qqp.count(.validation) == 1000 && qqp.count(.test) == 1)
        let mnli = try TaskExamples(GLUE.task("mnli", directory: fixture.path))
        #expect(mnli.report.files.map(\.ignoredRows) == [1, 1])
        #expect(mnli.report.files.map { $0.badRows + $0.incompleteRows + $0.ignoredRows }.reduce(0, +) == 2)
    }

    @Test func `MNLI validates on the mismatched file where there is one`() throws {
        let without = try GLUE.task("mnli", directory: fixture.path)
        #expect(without.split(.validation)?.source == .heldOutOfTraining(1000))
        #expect(without.split(.test)?.label == "matched")
        try fixture.directory.write(
            "MNLI/dev_mismatched.tsv", GLUEFixture.mnli("label1") + GLUEFixture.mnliRow(7, "x\tentailment"))
        let with = try TaskExamples(GLUE.task("mnli", directory: fixture.path))
        #expect(with.definition.split(.validation)?.label == "mismatched")
        #expect(try with.example(.validation, 0).source == "mnli premise: Premise 7. hypothesis: Hypothesis 7.")
        #expect(with.count(.train) == 1005)
    }

    @Test func `dev sets can be whole, and then training is`() throws {
        try fixture.directory.write(
            "MNLI/dev_mismatched.tsv", GLUEFixture.mnli("label1") + GLUEFixture.mnliRow(7, "x\tentailment"))
        let tasks = try GLUE.tasks(directory: fixture.path, splits: .dev)
        let counts = try tasks.map { task in
            let examples = try TaskExamples(task)
            #expect(task.split(.test) == nil)
            return examples.splitNames.map(examples.count)
        }
        #expect(
            counts == [[3, 5], [1010, 2], [2, 2], [1003, 1], [3, 2], [1005, 1, 1], [1002, 1], [1, 3], [1, 2]])
        let mnli = try #require(tasks.first { $0.name == "mnli" })
        #expect(mnli.splits.map { $0.label } == [nil, "matched", "mismatched"])
        #expect(mnli.splits.map(\.name.rawValue) == ["train", "validation", "validation_mismatched"])
    }

    @Test func `which rows a split has is said for tasks with the same rows together`() throws {
        let tasks = try GLUE.tasks(["cola", "sst2", "rte", "mnli"], directory: fixture.path)
        let suite = TaskSuite.glue
        #expect(
            suite.rows(of: .validation, in: tasks)
                == "the first half of dev.tsv (cola, rte), 1000 rows held out of training (sst2, mnli)")
        #expect(
            suite.rows(of: .test, in: tasks)
                == "the other half of dev.tsv (cola, rte), all rows of dev.tsv (sst2), all rows of dev_matched.tsv (mnli)"
        )
        let whole = try GLUE.tasks(["cola", "sst2"], directory: fixture.path, splits: .dev)
        #expect(suite.rows(of: .validation, in: whole) == "all rows of dev.tsv (cola, sst2)")
        #expect(suite.rows(of: .test, in: whole) == nil)
    }

    @Test func `the rows of published files are known for GLUE's own tasks alone`() throws {
        for task in try GLUE.tasks(directory: fixture.path) {
            for path in task.paths {
                let file = String(path.split(separator: "/").last ?? "")
                #expect(task.publishedRows(of: file) != nil, "\(task.name) \(file)")
            }
        }
        let own = try TaskDefinition(
            name: "rte", format: .tsv(hasHeader: true), fields: [Field("a")], label: .named("l"),
            answers: .classes(["x", "y"]), labels: LabelMap(classes: ["x", "y"]), metrics: [.accuracy],
            splits: SplitDefinition.splits(train: ["train.tsv"]))
        #expect(own.publishedRows(of: "train.tsv") == nil)
    }

    @Test func `unknown tasks and directories are refused`() {
        expectFailure(.badConfiguration, "\"colla\" is no GLUE task", "cola, sst2") {
            try GLUE.tasks(["colla"], directory: fixture.path)
        }
        expectFailure(.badConfiguration, "\"rte\" is named twice") {
            try GLUE.tasks(["rte", "rte"], directory: fixture.path)
        }
        let absent = fixture.path + "/absent"
        expectFailure(.inputMissing, absent + " does not exist") {
            try GLUE.tasks(directory: absent)
        }
    }

    @Test(.enabled(if: ReferenceMaterial.directory != nil, "needs GLUE's files, which are not distributed here"))
    func `the real files have the real numbers of rows`() throws {
        // Number of rows in train, validation and test after the splits.
        let expected: [String: [Int]] = [
            "cola": [8551, 521, 522], "sst2": [66349, 1000, 872], "mrpc": [3668, 204, 204],
            "stsb": [5749, 750, 750], "rte": [2490, 138, 139], "wnli": [635, 35, 36], "qnli": [9293, 1000, 5463],
            "qqp": [8309, 1000, 1000], "mnli": [9471, 1000, 9815],
        ]
        for definition in try GLUE.tasks(directory: ReferenceMaterial.path("data/glue")) {
            let examples = try TaskExamples(definition)
            #expect(examples.splitNames.map(examples.count) == expected[definition.name], "\(definition.name)")
            #expect(examples.report.files.map { $0.badRows + $0.incompleteRows + $0.ignoredRows }.reduce(0, +) == 0)
        }
    }

    @Test(.enabled(if: ReferenceMaterial.directory != nil, "needs GLUE's files, which are not distributed here"))
    func `the published numbers of rows are those of the real files`() throws {
        // The other three tasks' training files, and QQP's dev set, are samples here.
        let whole = ["cola", "sst2", "mrpc", "stsb", "rte", "wnli"]
        for task in try GLUE.tasks(directory: ReferenceMaterial.path("data/glue")) {
            for file in try TaskExamples(task).report.files {
                let isWhole = whole.contains(task.name) || (file.name.hasPrefix("dev") && task.name != "qqp")
                #expect((task.publishedRows(of: file.name) == file.rows) == isWhole, "\(task.name) \(file.name)")
            }
        }
    }
}
