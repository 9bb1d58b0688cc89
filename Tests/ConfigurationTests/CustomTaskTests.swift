import Failures
import Testing

@testable import Configuration

@Suite struct CustomTaskTests {
    /// The start of a file in which a task begins on line 4; its other keys are on the lines from 5.
    private let start = "model: t5\ntasks:\n  - name: t\n"

    private func task(_ lines: String...) throws(Failure) -> CustomTask {
        let text = start + lines.map { "    \($0)\n" }.joined()
        guard case .custom(let task)? = try load(text).tasks.first else {
            throw Failure(.internal, "not a custom task")
        }
        return task
    }

    private func message(_ lines: [String]) throws -> String {
        try refusal(start + lines.map { "    \($0)\n" }.joined())
    }

    @Test func `a classification of JSON lines has its defaults`() throws {
        let cb = try task(
            "train: CB/train.jsonl", "validation: CB/val.jsonl", "fields: [premise, hypothesis]",
            "labels: {entailment: \"0\", contradiction: \"1\", neutral: \"2\"}")
        #expect((cb.name, cb.format, cb.header, cb.label) == ("t", .jsonl, true, "label"))
        #expect((cb.train, cb.validation, cb.test) == ("/runs/CB/train.jsonl", "/runs/CB/val.jsonl", nil))
        #expect(cb.fields == ["premise", "hypothesis"] && cb.template == nil && cb.range == nil)
        #expect(cb.labels.map(\.label) == ["entailment", "contradiction", "neutral"])
        #expect(cb.labels.map(\.answer) == ["0", "1", "2"])
        #expect(cb.metrics == ["accuracy"])
    }

    @Test(arguments: [
        ("a.tsv", CustomTask.Format.tsv), ("a.csv", .csv), ("a.jsonl", .jsonl), ("a.csv.gz", .csv),
        ("a.jsonl.gz", .jsonl),
        ("a.tsv.gz", .tsv),
    ])
    func `the format shows in the name, packed or not`(name: String, format: CustomTask.Format) throws {
        #expect(try task("train: \(name)", "fields: [a]", "labels: [x, y]").format == format)
    }

    @Test func `a name of SuperGLUE is its task, and a mapping with that name is the user's`() throws {
        let built = try load("model: t5\ndata: {superglue: sg}\ntasks: [cb, superglue_rte]\n")
        #expect(built.tasks == [.superglue("cb"), .superglue("superglue_rte")] && built.superglue == "/runs/sg")
        #expect(built.warnings.isEmpty)
        let own = try load("model: t5\ntasks: [{name: cb, train: a.tsv, fields: [a], labels: [x, y]}]\n")
        #expect(own.tasks.map(\.name) == ["cb"])
        if case .custom = own.tasks[0] {} else { Issue.record("the user's own task is \(own.tasks)") }
    }

    @Test func `a regression of a TSV file without header has its defaults`() throws {
        let grade = try task(
            "train: g.txt", "format: tsv", "header: false", "columns: [id, text, score]", "fields: [text]",
            "label: score", "range: [0, 5, 0.2]", "holdOut: 50")
        #expect((grade.format, grade.header, grade.label, grade.holdOut) == (.tsv, false, "score", 50))
        #expect(grade.columns == ["id", "text", "score"] && grade.labels.isEmpty)
        #expect(grade.range == CustomTask.Range(minimum: 0, maximum: 5, step: 0.2))
        #expect(grade.metrics == ["pearson", "spearman"])
    }

    @Test func `rows for validation and test can be held out, and a number alone means what it did`() throws {
        let lines = ["train: a.tsv", "fields: [a]", "labels: [x, y]"]
        let one = try task(lines[0], lines[1], lines[2], "holdOut: 50")
        let two = try task(lines[0], lines[1], lines[2], "holdOut: {test: 7, validation: 50}")
        #expect((one.holdOut, one.holdOutTest) == (50, nil) && (two.holdOut, two.holdOutTest) == (50, 7))
        let text = try load(start + lines.map { "    \($0)\n" }.joined() + "    holdOut: 50\n").resultText
        #expect(text.contains("holdOut: 50"), "\(text)")
        for (value, says) in [
            ("{validation: 50}", "holdOut is a number of validation rows, or a mapping"),
            ("{validation: 50, train: 3}", "holdOut is a number of validation rows, or a mapping"),
            ("{validation: 50, test: 0}", "holdOut.test of a task must be a whole number from 1"),
            ("many", "holdOut of a task must be a whole number from 1"),
        ] {
            let message = try message(lines + ["holdOut: \(value)"])
            #expect(message.contains(says) && message.hasPrefix("run.yaml:7"), "\(message)")
        }
        let both = try message(lines + ["holdOut: {validation: 5, test: 5}", "test: b.tsv"])
        #expect(both.contains("either a test file or test rows in holdOut"), "\(both)")
        let halved = try message(lines + ["holdOut: {validation: 5, test: 5}", "validation: b.tsv"])
        #expect(halved.contains("either a validation file or holdOut"), "\(halved)")
    }

    @Test func `labels keep the texts that YAML would read as other things`() throws {
        let labels = try task("train: a.tsv", "fields: [a]", "labels: {no: off, 1: 1.0, null: ~}").labels
        #expect(labels.map(\.label) == ["no", "1", "null"])
        #expect(labels.map(\.answer) == ["off", "1.0", "~"])
        let list = try task("train: a.tsv", "fields: [a]", "labels: [true, false]").labels
        #expect(list.map(\.answer) == ["true", "false"])
    }

    @Test func `the positive label is the text of a label, whatever YAML would read it as`() throws {
        let lines = ["train: a.tsv", "fields: [a]", "labels: {0: x, true: y}", "metrics: [accuracy, f1]"]
        #expect(try task(lines[0], lines[1], lines[2], lines[3]).positive == nil)
        #expect(try task(lines[0], lines[1], lines[2], lines[3], "positive: true").positive == "true")
        #expect(try task(lines[0], lines[1], lines[2], lines[3], "positive: 0").positive == "0")
    }

    @Test func `a task with free text has its defaults`() throws {
        let qa = try task("train: qa.jsonl", "fields: [q]", "target: answers", "group: id")
        #expect((qa.label, qa.hasFreeText, qa.group) == ("answers", true, "id") && qa.labels.isEmpty && qa.range == nil)
        #expect(qa.metrics == ["exact_match", "token_f1"])
        let free = try load(start + "    train: a.jsonl\n    fields: [q]\n    target: a\ndata: {maxTarget: 40}\n")
        #expect(free.maxTarget == 40 && free.resultText.contains("maxTarget"))
        let closed = try load(start + "    train: a.jsonl\n    fields: [q]\n    labels: [x, y]\n")
        #expect(closed.maxTarget == nil && !closed.resultText.contains("maxTarget"))
    }

    @Test func `custom tasks alone need no directory of GLUE`() throws {
        _ = try task("train: a.tsv", "fields: [a]", "labels: [x, y]")
    }

    @Test(arguments: [
        (
            ["train: a.tsv", "fields: [a]", "lables: [x, y]"],
            "run.yaml:6: key lables of a task is unknown; did you mean labels?"
        ),
        (["fields: [a]", "labels: [x, y]"], "run.yaml:3: a custom task needs train"),
        (["train: a.tsv", "labels: [x, y]"], "run.yaml:3: a custom task needs fields"),
        (["train: a.tsv", "fields: [a]"], "run.yaml:3: a custom task needs either labels (classification) or range"),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y]", "range: [0, 1, 1]"],
            "run.yaml:3: a custom task needs either labels (classification) or range (regression)"
        ), (["train: a.txt", "fields: [a]", "labels: [x, y]"], "run.yaml:3: the format of /runs/a.txt does not show"),
        (
            ["train: a.csv", "format: parquet"],
            "run.yaml:5: format of a task must be one of tsv, csv, jsonl, not `parquet`"
        ), (["train: a.tsv", "fields: []"], "run.yaml:5: fields must be a list of different names"),
        (["train: a.tsv", "fields: [a, a]"], "run.yaml:5: fields must be a list of different names"),
        (
            ["train: a.tsv", "header: false", "fields: [a]", "labels: [x, y]"],
            "run.yaml:3: a file without header needs columns, their names in order"
        ),
        (
            ["train: a.tsv", "columns: [a, label]", "fields: [a]", "labels: [x, y]"],
            "run.yaml:3: columns names the columns of files without header; add header: false, or remove it"
        ),
        (
            ["train: a.jsonl", "header: true", "fields: [a]", "labels: [x, y]"],
            "run.yaml:3: header is for TSV and CSV files, and this task's are JSONL; remove it"
        ),
        (
            ["train: a.tsv", "header: false", "columns: [a, b]", "fields: [a]", "labels: [x, y]"],
            "run.yaml:3: label is none of the columns a, b"
        ),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y]", "template: \"t {b}\""],
            "run.yaml:3: the template names {b}, which is no field; use {a}"
        ),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y]", "template: \"t {{a}}\""],
            "run.yaml:3: the template needs at least one field in closed braces; use {a}, and {{ for a brace itself"
        ),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y]", "template: \"{a} {\""],
            "run.yaml:3: the template needs at least one field in closed braces; use {a}, and {{ for a brace itself"
        ), (["train: a.tsv", "labels: [x]"], "run.yaml:5: labels must be a list of at least two different labels"),
        (
            ["train: a.tsv", "labels: [x, y, [z]]"],
            "run.yaml:5: labels must be a list of at least two different labels"
        ),
        (
            ["train: a.tsv", "labels: {x: a, y: a}"],
            "run.yaml:5: labels must be a list of at least two different labels"
        ),
        (["train: a.tsv", "range: [5, 0, 1]"], "run.yaml:5: range must be [minimum, maximum, step]"),
        (["train: a.tsv", "range: [0, 5, 0.3]"], "run.yaml:5: range must be [minimum, maximum, step]"),
        (["train: a.tsv", "range: [0, 5]"], "run.yaml:5: range must be [minimum, maximum, step]"),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y]", "metrics: [pearson]"],
            "run.yaml:3: metrics of a classification are accuracy, f1, matthews, macro_f1, group_exact_match; of a regression pearson, "
        ),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y, z]", "metrics: [f1]"],
            "run.yaml:3: f1 is for two labels, of which positive names one, and there are 3"
        ),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y]", "positive: x"],
            "run.yaml:3: positive names the label that f1 is of, and metrics does not name f1; add it, or remove"
        ),
        (
            ["train: a.tsv", "fields: [a]", "labels: {0: x, 1: y}", "metrics: [f1]", "positive: y"],
            "run.yaml:3: positive names y, which is none of the labels 0, 1"
        ),
        (["positive: [x]"], "run.yaml:4: positive of a task must be text"),
        (
            ["metrics: [accuracy, rouge]"],
            "run.yaml:4: metrics of a task must be a list of some of accuracy, f1, matthews, macro_f1, "
                + "group_exact_match, pearson, spearman, exact_match, token_f1, rouge_l, bleu, and `rouge`"
        ),
        (
            ["train: a.tsv", "fields: [a]", "target: b", "metrics: [accuracy]"],
            "run.yaml:3: metrics of a classification are accuracy, f1, matthews, macro_f1, group_exact_match; of a regression "
                + "pearson, spearman; of free text exact_match, token_f1, rouge_l, bleu"
        ),
        (
            ["train: a.tsv", "fields: [a]", "target: b", "labels: [x, y]"],
            "run.yaml:3: a custom task needs either labels (classification) or range (regression) or target (free text)"
        ),
        (
            ["train: a.tsv", "fields: [a]", "target: b", "label: b"],
            "run.yaml:3: label is the field of labels or range, and target that of free text; remove label"
        ),
        (
            ["train: a.tsv", "fields: [a, b]", "target: b"],
            "run.yaml:3: b is both a field and the target, so that the answer would stand in the question; remove"
        ),
        (
            ["train: a.tsv", "fields: [a]", "labels: [x, y]", "metrics: [group_exact_match]"],
            "run.yaml:3: group_exact_match needs group, the field whose value rows that belong together share; add it"
        ),
        (
            ["train: a.tsv", "header: false", "columns: [a, label]", "fields: [a]", "labels: [x, y]", "group: id"],
            "run.yaml:3: id is none of the columns a, label"
        ),
        (
            ["train: a.tsv", "fields: [a, label]", "labels: [x, y]"],
            "run.yaml:3: label is both a field and the label, so that the answer would stand in the question; remove"
        ),
        (
            ["train: a.tsv", "fields: [a, b]", "label: b", "labels: [x, y]"],
            "run.yaml:3: b is both a field and the label"
        ),
        (
            ["train: a.tsv", "test: b.tsv", "fields: [a]", "labels: [x, y]"],
            "run.yaml:3: give a validation file or holdOut, the training rows that become validation"
        ),
        (
            ["train: a.tsv", "validation: b.tsv", "holdOut: 5", "fields: [a]", "labels: [x, y]"],
            "run.yaml:3: a task has either a validation file or holdOut; remove one of them"
        ),
    ])
    func `a custom task that cannot be is refused with its line`(lines: [String], start: String) throws {
        let message = try message(lines)
        #expect(message.hasPrefix(start), "\(message)")
    }

    @Test(arguments: [
        (
            "tasks: [record]",
            "run.yaml:3: SuperGLUE's ReCoRD is not built in, since several answers to a question are right"
        ),
        ("tasks: [cb]", "run.yaml:3: task cb is SuperGLUE's, so data.superglue must name the directory"),
        ("tasks: [colla]", "run.yaml:3: task colla is none of GLUE's; did you mean cola? (cola, sst2, "),
        ("tasks: [rte, rte]", "run.yaml:3: task rte is there twice; keep one of them"),
        ("tasks: []", "run.yaml:3: tasks must be a list of task names and custom tasks"),
        ("tasks: rte", "run.yaml:3: tasks must be a list of task names and custom tasks"),
        ("tasks: [[rte]]", "run.yaml:3: a task must be a name or a mapping"),
        ("tasks: [{name: rte}]", "run.yaml:3: rte is a task of GLUE; give a task of your own another name"),
        // Otherwise a row of the results would have the name of MNLI's other half.
        (
            "tasks: [{name: mnli_mismatched}]",
            "run.yaml:3: mnli_mismatched is a split of GLUE; give a task of your own another name"
        ), ("tasks: [mnli, {name: mnli_matched}]", "run.yaml:3: mnli_matched is a split of GLUE; give a task"),
        ("tasks: [{name: 'a b'}]", "run.yaml:3: a task's name is made of letters, digits, _ and -"),
        ("tasks: [{train: a.tsv}]", "run.yaml:3: a custom task needs name"),
    ])
    func `a list of tasks that cannot be is refused`(line: String, start: String) throws {
        let message = try refusal(complete + line + "\n")
        #expect(message.hasPrefix(start), "\(message)")
    }

    @Test func `a refusal within a list of tasks names the item's own line`() throws {
        let message = try refusal(complete + "tasks:\n  - rte\n  - cola\n  - rte\n")
        #expect(message == "run.yaml:6: task rte is there twice; keep one of them")
        #expect(
            try refusal(complete, set: ["tasks=[colla]"]).hasPrefix("--set tasks=[colla]: task colla is none of GLUE's")
        )
    }
}
