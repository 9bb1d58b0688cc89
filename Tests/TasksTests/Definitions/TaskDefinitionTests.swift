import Failures
import Tasks
import Testing

@Suite struct TaskDefinitionTests {
    private func definition(
        name: String = "cb", format: TableFormat = .jsonLines,
        fields: [Field] = [Field("premise"), Field("hypothesis")],
        label: Column = .named("label"), template: String? = nil, answers: AnswerSpace = .classes(["yes", "no"]),
        labels: LabelMap = LabelMap(classes: ["y", "n"]), metrics: [Metric] = [.accuracy],
        positive: String? = nil,
        splits: [SplitDefinition] = SplitDefinition.splits(train: ["t"], validation: ["v"])
    ) throws -> TaskDefinition {
        try TaskDefinition(
            name: name, format: format, fields: fields, label: label, template: template, answers: answers,
            labels: labels, metrics: metrics, positive: positive, splits: splits)
    }

    @Test func `the default template names task and fields`() throws {
        #expect(try definition().template.pattern == "cb premise: {premise} hypothesis: {hypothesis}")
    }

    @Test(
        arguments: [
            (["0", "1"], nil, "1"), (["1", "0"], nil, "1"), (["1", "-1"], nil, "1"), (["1.0", "0.0"], nil, "1.0"),
            (["True", "False"], nil, "True"), (["false", "true"], nil, "true"), (["y", "n"], nil, "n"),
            (["n", "y"], nil, "y"), (["1", "2"], nil, "2"), (["2", "1"], nil, "1"), (["y", "n"], "y", "y"),
            (["1", "0"], "0", "0"), (["1", "0"], "1", "1"),
        ] as [([String], String?, String)])
    func `the positive label is the one asked for, else 1 or true, else the second`(
        labels: [String], asked: String?, positive: String
    ) throws {
        let task = try definition(
            answers: .classes(["a", "b"]), labels: LabelMap(classes: labels), metrics: [.accuracy, .f1],
            positive: asked)
        let expected = PositiveClass(index: try #require(labels.firstIndex(of: positive)), label: positive)
        #expect(task.positiveClass == expected)
        // There is a notice if an earlier version gave another figure and the user has not chosen a class.
        #expect((task.positiveNotice != nil) == (asked == nil && expected.index == 0))
        #expect(try definition(labels: LabelMap(classes: labels)).positiveClass == nil)
    }

    @Test func `a positive label that F1 cannot be of is refused`() {
        expectFailure(.badConfiguration, "positive label \"y\" is for f1, which is none of its metrics") {
            try definition(positive: "y")
        }
        expectFailure(.badConfiguration, "positive label \"yes\" is none of its labels; use \"y\", \"n\"") {
            try definition(metrics: [.f1], positive: "yes")
        }
    }

    @Test func `bad templates are refused`() {
        expectFailure(.badConfiguration, "task \"cb\"", "names the field \"premis\"", "{premise}, {hypothesis}") {
            try definition(template: "cb {premis}")
        }
        expectFailure(.badConfiguration, "leaves a brace open") { try definition(template: "cb {premise") }
        expectFailure(.badConfiguration, "closes a brace") { try definition(template: "cb premise} {premise}") }
        expectFailure(.badConfiguration, "names no field") { try definition(template: "cb {{premise}}") }
    }

    @Test func `impossible names, fields and columns are refused`() {
        expectFailure(.badConfiguration, "name is letters") { try definition(name: "c b") }
        expectFailure(.badConfiguration, "name is letters") { try definition(name: "") }
        expectFailure(.badConfiguration, "no text fields") { try definition(fields: []) }
        expectFailure(.badConfiguration, "same name") { try definition(fields: [Field("a"), Field("a")]) }
        expectFailure(.badConfiguration, "no column 1") { try definition(label: .index(1)) }
        expectFailure(.badConfiguration, "files without a header") { try definition(format: .tsv(hasHeader: false)) }
        expectFailure(.badConfiguration, "counted from 0") {
            try definition(format: .tsv(hasHeader: true), label: .index(-1))
        }
    }

    @Test(
        arguments: [
            (0, 0.2, 1), (0, 1, 0), (0.25, 0.5, 2), (1.5, 1, 1), (-0.125, 0.25, 3), (0, 0.25, 2), (0, 1.0 / 3, 6),
            (1.0 / 3, 1, 6), (0, 1e-7, 6),
        ] as [(Double, Double, Int)])
    func `grades are written with as many decimals as they have`(minimum: Double, step: Double, decimals: Int) {
        #expect(AnswerSpace.decimals(minimum: minimum, step: step) == decimals)
    }

    @Test func `impossible answers are refused`() {
        expectFailure(.badConfiguration, "1 classes") {
            try definition(answers: .classes(["a"]), labels: LabelMap(classes: ["y"]))
        }
        expectFailure(.badConfiguration, "same answer text") { try definition(answers: .classes(["a", "a"])) }
        expectFailure(.badConfiguration, "white space") { try definition(answers: .classes(["a", " b"])) }
        expectFailure(.badConfiguration, "answer \"c\"") { try definition(answers: .classes(["a", "b", "c"])) }
        expectFailure(.badConfiguration, "\"y\" is given twice") {
            try definition(labels: LabelMap(entries: [.init(label: "y", index: 0), .init(label: "y", index: 1)]))
        }
        expectFailure(.badConfiguration, "class 7") {
            try definition(labels: LabelMap(entries: [.init(label: "y", index: 7)]))
        }
        expectFailure(.badConfiguration, "both mapped and ignored") {
            try definition(labels: LabelMap(classes: ["y", "n"], ignored: ["n"]))
        }
        let none = LabelMap(entries: [])
        for (minimum, maximum, step, decimals) in [
            (0.0, 0.0, 1.0, 0), (0, 5, 0, 1), (0, 5, 6, 1), (0, .infinity, 1, 1), (.nan, 1, 1, 1), (0, 5, 1, 7),
        ] {
            expectFailure(.badConfiguration, "are impossible") {
                try definition(
                    answers: .grades(minimum: minimum, maximum: maximum, step: step, decimals: decimals), labels: none,
                    metrics: [.pearson])
            }
        }
        expectFailure(.badConfiguration, "do not tell grades") {
            try definition(
                answers: .grades(minimum: 0, maximum: 1, step: 0.05, decimals: 1), labels: none, metrics: [.pearson])
        }
        expectFailure(.badConfiguration, "more than 10,000 grades") {
            try definition(
                answers: .grades(minimum: 0, maximum: 1, step: 1e-5, decimals: 5), labels: none, metrics: [.pearson])
        }
    }

    @Test func `metrics that do not apply are refused with those that do`() {
        expectFailure(.badConfiguration, "pearson does not apply", "accuracy, f1, matthews") {
            try definition(metrics: [.pearson])
        }
        expectFailure(.badConfiguration, "no metrics") { try definition(metrics: []) }
        expectFailure(.badConfiguration, "twice") { try definition(metrics: [.f1, .f1]) }
    }

    @Test func `splits follow from the files at hand`() throws {
        let both = SplitDefinition.splits(train: ["t"], validation: ["v"], test: ["e"])
        #expect(both.map(\.source) == [.files(["t"]), .files(["v"]), .files(["e"])])
        let half = SplitDefinition.splits(train: ["t"], validation: ["v"])
        #expect(half.map(\.source) == [.files(["t"]), .firstHalf(of: ["v"]), .secondHalf(of: ["v"])])
        let held = SplitDefinition.splits(train: ["t"], test: ["e"], holdOut: 9)
        #expect(held.map(\.source) == [.files(["t"]), .heldOutOfTraining(9), .files(["e"])])
        expectFailure(.badConfiguration, "no training file") { try definition(splits: []) }
        expectFailure(.badConfiguration, "0 rows cannot be held out") {
            try definition(splits: SplitDefinition.splits(train: ["t"], holdOut: 0))
        }
        expectFailure(.badConfiguration, "two splits have the same name") { try definition(splits: both + both) }
        expectFailure(.badConfiguration, "split extra has no file") {
            try definition(splits: both + [SplitDefinition(SplitName(rawValue: "extra"), .files([]))])
        }
    }

    @Test func `labels of one class go by the name of the first`() throws {
        let map = LabelMap(entries: [
            .init(label: "1", index: 0), .init(label: "2", index: 0), .init(label: "3", index: 1),
        ])
        #expect(try definition(answers: .classes(["bad", "good"]), labels: map).labelNames == ["1", "3"])
    }
}
