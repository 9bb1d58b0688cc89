import Foundation
import Tensors
import TestSupport
import Testing
import Text

extension ProgramTests {
    /// `evaluate` on other files, splits and settings than those of the training.
    @Suite struct EvaluateOtherDataTests {
        private static func evaluation(_ text: some StringProtocol) throws -> Evaluation {
            let start = try #require(text.firstIndex(of: "{"))
            return try JSONDecoder().decode(Evaluation.self, from: Data(text[start...].utf8))
        }

        static func evaluate(
            _ project: TinyProject, _ arguments: [String], ranks: Int? = nil
        ) throws -> (evaluation: Evaluation, error: String, output: String) {
            let result = try Program.run(["evaluate", project.file("run"), "--json"] + arguments, ranks: ranks)
            #expect(result.code == 0, "\(result.error)")
            return (try evaluation(result.output), result.error, result.output)
        }

        /// What `predict` answers to texts, with the label of each.
        private static func answers(
            _ project: TinyProject, task: String, _ fields: [[String: String]]
        ) throws -> [[String: Any]] {
            let lines = try fields.map {
                String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
            }
            let input = try project.write("\(task)-input.jsonl", lines.joined(separator: "\n") + "\n")
            let result = try Program.run(["predict", project.file("run"), "--task", task, "--input", input])
            #expect(result.code == 0, "\(result.error)")
            return try result.output.split(separator: "\n").map {
                try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
        }

        @Test(arguments: [nil, 2])
        func `MRPC's official test file is evaluated in the place of the run's split`(ranks: Int?) throws {
            let project = try Self.shared.get()
            let plain = try Self.evaluate(project, ["--split", "test"], ranks: ranks)
            let file = project.file("run/evaluation-test-\(plain.evaluation.step).json")
            let before = try ContentDigest.of(file: file)
            let official = project.file("official.yaml")
            let (other, error, output) = try Self.evaluate(
                project, ["--split", "test", "--tasks-file", official], ranks: ranks)
            // The figure is that of the answers that predict gives to the same texts.
            let rows = Array(100..<131)
            let answers = try Self.answers(
                project, task: "mrpc",
                rows.map { row in
                    [
                        "sentence1": "\"" + Self.text(row),
                        "sentence2": Self.text(row + 1 - (row % 3 == 0 ? 0 : 1)),
                    ]
                })
            let right = zip(rows, answers).count { $1["label"] as? String == ($0 % 3 == 0 ? "0" : "1") }
            let mrpc = try #require(other.tasks["mrpc"])
            #expect(mrpc.examples == 31 && mrpc.figures["accuracy"] == Double(right) / 31)
            #expect(mrpc.standsFor == "mrpc" && mrpc.template == "mrpc sentence1: {sentence1} sentence2: {sentence2}")
            let digest = try ContentDigest.of(file: project.file("msr_paraphrase_test.txt")).hexadecimal
            #expect(
                mrpc.splits == [
                    Evaluation.Split(
                        split: "test", rows: "all rows",
                        files: [.init(name: "msr_paraphrase_test.txt", digest: digest)],
                        examples: 31)
                ])
            // Two thirds of the training, and 21 of these rows, are paraphrases.
            #expect(mrpc.baselineOf == "train" && mrpc.baseline?["accuracy"] == 21.0 / 31)
            for name in ["stsb", "colour"] {
                #expect(other.tasks[name]?.figures == plain.evaluation.tasks[name]?.figures, "\(name)")
            }
            #expect(other.averagedFigures == plain.evaluation.averagedFigures)
            let change =
                "task mrpc: its test split was the other half of dev.tsv and is all rows of msr_paraphrase_test.txt"
            #expect(other.changed == [change] && error.contains("note: \(change)\n"), "\(error)")
            // Its figures have a file of their own, and those of the run's split stay.
            let beside = "run/evaluation-test-\(other.step)-official-\(other.basis.prefix(8)).json"
            #expect(try String(contentsOfFile: project.file(beside), encoding: .utf8) + "\n" == output)
            #expect(try ContentDigest.of(file: file) == before)
            #expect(other.basis != plain.evaluation.basis)
        }

        @Test func `STS-B's test as published and in GLUE's form has the same figures`() throws {
            let project = try Self.shared.get()
            let arguments = ["--split", "test", "--tasks", "stsb", "--tasks-file"]
            let (published, _, _) = try Self.evaluate(project, arguments + [project.file("sts.yaml")])
            let (glue, _, _) = try Self.evaluate(project, arguments + [project.file("sts-glue.yaml")])
            let stsb = try #require(published.tasks["stsb"])
            #expect(published.tasks.count == 1 && stsb.examples == 25)
            #expect(
                stsb.figures == glue.tasks["stsb"]?.figures && stsb.figures.keys.sorted() == ["pearson", "spearman"])
            #expect(published.basis != glue.basis)
            // The gold scores are the files': the correlation with what predict answers.
            let rows = Array(200..<225)
            let answers = try Self.answers(
                project, task: "stsb",
                rows.map { ["sentence1": Self.text($0), "sentence2": Self.text($0 + $0 % 3)] })
            let pairs = try zip(rows, answers).map {
                ($1["score"] as? Double ?? -1, try #require(Double(Self.score($0))))
            }
            #expect(abs((stsb.figures["pearson"] ?? 2) - Self.correlation(pairs)) < 1e-6)
        }

        private static func correlation(_ pairs: [(Double, Double)]) -> Double {
            let count = Double(pairs.count)
            let (x, y) = (pairs.reduce(0) { $0 + $1.0 } / count, pairs.reduce(0) { $0 + $1.1 } / count)
            let product = pairs.reduce(0) { $0 + ($1.0 - x) * ($1.1 - y) }
            let (a, b) = (
                pairs.reduce(0) { $0 + ($1.0 - x) * ($1.0 - x) }, pairs.reduce(0) { $0 + ($1.1 - y) * ($1.1 - y) }
            )
            return a == 0 || b == 0 ? 0 : product / (a * b).squareRoot()
        }

        @Test func `a task's files are compared with its own published row counts, whichever tasks are chosen`() throws
        {
            let project = try Self.shared.get()
            let mrpc = "note: mrpc: train.tsv has 60 rows instead of 3668, dev.tsv has 24 rows instead of 408, as GLUE"
            let stsb = "note: stsb: train.tsv has 60 rows instead of 5749, dev.tsv has 24 rows instead of 1500, as GLUE"
            for (arguments, notes) in [
                (["--tasks", "stsb"], [stsb]), (["--tasks", "stsb,mrpc"], [mrpc, stsb]), (["--tasks", "colour"], []),
                // Other files stand in MRPC's place, and its own are not read.
                (["--split", "test", "--tasks-file", project.file("official.yaml")], [stsb]),
            ] {
                let (_, error, _) = try Self.evaluate(project, arguments)
                let found = error.split(separator: "\n").filter { $0.contains("instead of") }
                #expect(found.count == notes.count && zip(found, notes).allSatisfy { $0.hasPrefix($1) }, "\(error)")
            }
            let prepare = ["prepare", "--config", project.configuration, "--out", project.file("run")]
            let prepared = try Program.run(prepare + ["--set", "tasks=[stsb]"])
            #expect(prepared.output.contains(stsb) && !prepared.output.contains("note: mrpc"), "\(prepared)")
        }

        @Test func `files of their own need none of the run's data`() throws {
            let original = try Self.shared.get()
            let project = try original.copy()
            for name in ["glue", "colour", "run/cache"] {
                try FileManager.default.removeItem(atPath: project.file(name))
            }
            let arguments = ["--split", "test", "--tasks", "mrpc", "--tasks-file", project.file("official.yaml")]
            let (alone, _, _) = try Self.evaluate(project, arguments)
            let (beside, _, _) = try Self.evaluate(original, arguments)
            #expect(alone.tasks["mrpc"]?.figures == beside.tasks["mrpc"]?.figures)
            #expect(alone.basis == beside.basis)
            // The training answers are not there; the baseline says so.
            #expect(
                alone.tasks["mrpc"]?.baselineOf == "test" && alone.tasks["mrpc"]?.baseline?["accuracy"] == 21.0 / 31)
            let all = try Program.run(["evaluate", project.file("run"), "--split", "test"])
            #expect(all.code == 66, "\(all.error)")
        }

        @Test func `a task that the run was not trained on is answered as one of its tasks`() throws {
            let project = try Self.shared.get()
            try project.write(
                "shade.jsonl",
                (0..<12).map {
                    "{\"words\": \"\(Self.text($0))\", \"shade\": \"\(["dark", "dim", "light"][$0 % 3])\"}\n"
                }
                .joined())
            let file = try project.write(
                "unseen.yaml",
                """
                tasks:
                  - name: shade
                    as: colour
                    validation: shade.jsonl
                    fields: [words]
                    label: shade
                    labels: {dark: red, dim: red, light: blue}

                """)
            let (unseen, error, _) = try Self.evaluate(project, ["--tasks-file", file])
            let (plain, _, _) = try Self.evaluate(project, [])
            let shade = try #require(unseen.tasks["shade"])
            #expect(shade.standsFor == "colour" && shade.examples == 12)
            #expect(shade.template == "colour sentence: {sentence}")
            // It stands beside the averages, and the run's own tasks are as they were.
            #expect(unseen.averagedFigures == plain.averagedFigures)
            #expect(unseen.tasks["colour"]?.figures == plain.tasks["colour"]?.figures)
            let answers = try Self.answers(project, task: "colour", (0..<12).map { ["sentence": Self.text($0)] })
            let right = answers.enumerated().count { index, answer in
                answer["answer"] as? String == (index % 3 == 2 ? "blue" : "red")
            }
            #expect(shade.figures["accuracy"] == Double(right) / 12)
            let changes = [
                "task shade is answered as colour, and the run was not trained on it",
                "task shade: labels was {r: red, b: blue} and is {dark: red, dim: red, light: blue}",
            ]
            #expect(unseen.changed == changes, "\(error)")
        }

        @Test(arguments: [
            ("{name: mrpc, test: msr_paraphrase_test.txt, labels: {0: no, 1: yes}}", 78, "no is none of the answers"),
            ("{name: rte, test: msr_paraphrase_test.txt}", 78, "rte is none of the run's tasks (mrpc, stsb, colour)"),
            ("{name: stsb, test: sts-test.csv, format: tsv}", 65, "the header has no column \"sentence1\""),
            ("{name: stsb, test: absent.tsv}", 66, "absent.tsv"),
            ("{name: mrpc, train: msr_paraphrase_test.txt}", 78, "is only evaluated"),
            (
                "{name: stsb, test: sts-test.csv, format: tsv, header: false, columns: [a, b, c, d, score, x, y], fields: [x, y]}",
                65, "sts-test.csv:1: the row has 9 columns, but rows of this file have 7"
            ),
        ])
        func `a file of tasks that does not fit is refused in one sentence`(
            entry: String, code: Int32, says: String
        ) throws {
            let project = try Self.shared.get()
            let file = try project.write("bad.yaml", "tasks:\n  - \(entry)\n")
            let before = try digests(below: project.file("run"))
            let result = try Program.run(["evaluate", project.file("run"), "--split", "test", "--tasks-file", file])
            #expect(result.code == code && result.sentences.count == 1, "\(result)")
            #expect(result.error.contains(says), "\(result.error)")
            #expect(try digests(below: project.file("run")) == before)
        }

        @Test func `keys that decide nothing of the training can be set, and are named in the result`() throws {
            let project = try Self.shared.get()
            let (some, _, _) = try Self.evaluate(
                project, ["--set", "eval.maxExamples=8", "--set", "eval.split=test", "--set", "eval.batch=3"])
            #expect(some.split == "test" && some.maxExamples == 8)
            #expect(some.tasks.values.allSatisfy { $0.examples == 8 })
            #expect(some.settings == ["eval.maxExamples": "8", "eval.split": "test", "eval.batch": "3"])
            let name = "run/evaluation-test-\(some.step)-8-examples-\(some.basis.prefix(8)).json"
            #expect(FileManager.default.fileExists(atPath: project.file(name)))
            // The batch size changes no figure, so these are the run's own.
            let (batch, _, _) = try Self.evaluate(project, ["--split", "test", "--set", "eval.batch=3"])
            let (plain, _, _) = try Self.evaluate(project, ["--split", "test"])
            #expect(batch.basis == plain.basis && batch.basis != some.basis)
            #expect(batch.tasks["mrpc"]?.figures == plain.tasks["mrpc"]?.figures)
            let idle = try Program.run(["evaluate", project.file("run"), "--set", "log.every=5"])
            #expect(idle.code == 0 && idle.error.contains("note: log.every has no effect on an evaluation"), "\(idle)")
        }

        @Test(arguments: [
            ("lr.peak=1", 78, "lr.peak decided what was trained, with the value 0.01,"),
            ("data.maxSource=64", 78, "data.maxSource decided what was trained, with the value 128,"),
            ("data.splitSeed=9", 78, "data.splitSeed decided what was trained"),
            ("tasks=[mrpc]", 64, "--tasks-file"), ("eval.batsh=3", 78, "eval.batsh"),
        ])
        func `a key that decided the training is refused`(setting: String, code: Int32, says: String) throws {
            let project = try Self.shared.get()
            let result = try Program.run(["evaluate", project.file("run"), "--set", setting])
            #expect(result.code == code && result.sentences.count == 1 && result.error.contains(says), "\(result)")
        }

        @Test func `the training split can be evaluated`() throws {
            let project = try Self.shared.get()
            let (train, _, _) = try Self.evaluate(project, ["--split", "train"])
            #expect(train.tasks["mrpc"]?.examples == 60 && train.tasks["colour"]?.examples == 120)
        }

        @Test func `each file of figures is complete by itself, also that of the end of training`() throws {
            let project = try Self.shared.get()
            _ = try Self.evaluate(project, ["--split", "test"])
            let step = try Self.evaluate(project, ["--split", "test"]).evaluation.step
            let seven = "run/evaluation-test-\(step).json"
            for name in ["run/evaluation-test.json", seven] {
                let file = try Self.evaluation(String(contentsOfFile: project.file(name), encoding: .utf8))
                #expect(file.method == "unolora_star" && file.seed == 1 && file.splitSeed == 1)
                #expect(file.runTasks == ["mrpc", "stsb", "colour"])
                let weights = try ContentDigest.of(
                    file: project.file(
                        "run/checkpoints/step-\(String(format: "%08d", step))/adapter/unolora_model.safetensors"))
                #expect(file.checkpoint?.step == step && file.checkpoint?.digest == weights.hexadecimal)
                #expect(file.program?.version.isEmpty == false && file.program?.commit.isEmpty == false)
                #expect(file.model?.digest.isEmpty == false && file.model?.vocabulary.isEmpty == false)
                let mrpc = try #require(file.tasks["mrpc"]?.splits)
                func digest(_ name: String) throws -> String {
                    try ContentDigest.of(file: project.file("glue/MRPC/\(name)")).hexadecimal
                }
                #expect(mrpc.map(\.split) == ["train", "validation", "test"])
                #expect(mrpc.map(\.rows) == ["all rows", "the first half", "the other half"])
                #expect(mrpc.map(\.examples) == [60, 12, 12])
                #expect(
                    try mrpc.map { $0.files[0].digest } == [digest("train.tsv"), digest("dev.tsv"), digest("dev.tsv")])
                #expect(file.tasks["mrpc"]?.baselineOf == "train")
                #expect(file.tasks["colour"]?.baseline?.keys.sorted() == ["accuracy", "f1"])
            }
            // The lines of the log stay small.
            let log = try String(contentsOfFile: project.file("run/metrics.jsonl"), encoding: .utf8)
            #expect(log.contains("\"kind\":\"evaluation\"") && !log.contains("baseline") && !log.contains("checkpoint"))
        }
    }
}
