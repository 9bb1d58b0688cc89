import Configuration
import Failures
import TestSupport
import Testing

/// Files of tasks for `evaluate --tasks-file`, and the keys that `evaluate --set` takes.
@Suite struct StandInTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func read(_ yaml: String) throws -> [StandInTask] {
        try StandInTask.load(file: directory.write("extra.yaml", yaml), trained: ["mrpc", "stsb", "mine"])
    }

    private func message(_ yaml: String) throws -> String {
        let failure = try #require(throws: Failure.self) { _ = try read(yaml) }
        #expect(failure.code == .badConfiguration)
        return failure.message
    }

    @Test func `an entry needs a name and a file, and the rest is the run's`() throws {
        let task = try #require(try read("tasks:\n  - {name: mrpc, test: official.txt}\n").first)
        #expect(task.name == "mrpc" && task.stands == "mrpc" && !task.isOther)
        #expect(task.test == directory.file("official.txt") && task.validation == nil)
        #expect(task.format == nil && task.header == nil && task.template == nil && task.labels.isEmpty)
        #expect(task.metrics.isEmpty && task.fields.isEmpty && !task.isRagged)
    }

    @Test func `another task says as which it is answered`() throws {
        let text = """
            tasks:
              - name: paws
                as: mrpc
                validation: paws.tsv
                fields: {sentence1: a, sentence2: b}
                labels: {yes: "1", no: "0", never: "0"}
                metrics: [f1]
                positive: yes

            """
        let task = try #require(try read(text).first)
        #expect(task.isOther && task.stands == "mrpc" && task.columnOfField == ["sentence1": "a", "sentence2": "b"])
        #expect(task.labels.map(\.label) == ["yes", "no", "never"] && task.labels.map(\.answer) == ["1", "0", "0"])
        #expect(task.positive == "yes" && task.metrics == ["f1"])
    }

    @Test(arguments: [
        ("{name: rte, test: a}", "extra.yaml:2: rte is none of the run's tasks (mrpc, stsb, mine)"),
        ("{name: a, as: rte, test: a}", "as names rte, which is none of the run's tasks"),
        ("{name: mine, as: mrpc, test: a}", "the run has a task mine of its own"),
        ("{name: mnli_matched, as: mrpc, test: a}", "is a split of GLUE"),
        ("{name: mrpc}", "task mrpc: give the file to evaluate"),
        ("{name: mrpc, test: a, train: b}", "is only evaluated, so it has no train"),
        ("{name: stsb, test: a, range: [0, 5, 1]}", "scores have the range of the run's task"),
        ("{name: mrpc, test: a, tets: b}", "did you mean test?"),
        ("{name: mrpc, test: a, header: false}", "needs columns"),
        ("{name: mrpc, test: a, columns: [a, b]}", "add header: false"),
        ("{name: mrpc, test: a, format: jsonl, ragged: true}", "ragged is for TSV files"),
        ("{name: mrpc, test: a, template: \"{x}\", fields: {x: y}}", "a mapping of fields is for the run's template"),
        ("{name: mrpc, test: a, metrics: [accuracy], positive: x}", "metrics does not name f1"),
        ("{name: mrpc, test: a, labels: []}", "labels must be a list"),
        ("mrpc", "a task must be a mapping"),
        ("{test: a}", "a task needs a name"),
    ])
    func `an entry that is no use is refused with its place`(entry: String, says: String) throws {
        let message = try message("tasks:\n  - \(entry)\n")
        #expect(message.contains(says) && message.contains("extra.yaml:2"), "\(message)")
    }

    @Test func `the file has tasks only, each once`() throws {
        #expect(try message("model: t5\ntasks: []\n").contains("extra.yaml:1: a tasks file has the key tasks only"))
        #expect(try message("tasks: mrpc\n").contains("tasks must be a list of mappings"))
        #expect(try message("").contains("tasks must be a list of mappings"))
        let twice = "tasks:\n  - {name: mrpc, test: a}\n  - {name: mrpc, test: b}\n"
        #expect(try message(twice).contains("extra.yaml:3: task mrpc is there twice"))
        let absent = try #require(throws: Failure.self) {
            _ = try StandInTask.load(file: directory.file("absent.yaml"), trained: ["mrpc"])
        }
        #expect(absent.code == .inputMissing && absent.message.contains("--tasks-file"))
    }

    private func settings(_ assignments: String..., also more: String = "") throws(Failure) -> EvaluationSettings {
        let file: String
        do { file = try directory.write("config.yaml", complete + "lr: {peak: 1e-3}\n" + more) } catch {
            throw Failure(.internal, "\(error)")
        }
        return try EvaluationSettings(run: file, set: assignments)
    }

    @Test func `what decides nothing of the training can be set`() throws {
        let plain = try settings()
        #expect(plain.given.isEmpty && plain.split == nil && plain.maxExamples == nil && plain.remarks.isEmpty)
        let set = try settings("eval.maxNewTokens=7", "eval.split=test", "eval.maxExamples=5", "data.glue=/elsewhere")
        #expect(set.configuration.glue == "/elsewhere" && set.split == "test" && set.maxExamples == 5)
        #expect(set.given.map(\.key) == ["eval.split", "eval.maxExamples", "eval.maxNewTokens"])
        #expect(set.given.map(\.value) == ["test", "5", "7"])
        #expect(try settings("parallel.gemm=openblas").configuration.gemm == "openblas")
        #expect(try settings("checkpoint.keep=3").remarks == ["checkpoint.keep has no effect on an evaluation"])
    }

    @Test(arguments: [
        "lr.peak=1e-4", "data.maxSource=64", "data.splitSeed=7", "data.labelStyle=words", "lora.rank=4", "train.seed=2",
        "method=unolora_star", "model.products=int8", "init.from=a",
    ])
    func `what decided the training is refused by its name, unless it is the run's own value`(setting: String) throws {
        let failure = try #require(throws: Failure.self) { _ = try settings(setting) }
        let key = setting.prefix { $0 != "=" }
        #expect(failure.code == .badConfiguration)
        #expect(failure.message.hasPrefix("--set \(setting): \(key) decided what was trained"), "\(failure.message)")
        let own = try settings("lr.peak=1e-3", "train.seed=1", "model.products=float32")
        #expect(own.given.isEmpty && own.remarks.isEmpty, "\(own.remarks)")
    }

    /// A library of the run's that could not compute the other value is no reason: the value itself is not to be had.
    @Test(arguments: [
        ("model.products=float32", "bf16x3"), ("model.storage=bfloat16", "float32"), ("method=full", "unolora"),
    ])
    func `what decided the training is refused before values that are impossible together`(
        setting: String, was: String
    ) throws {
        let more = "parallel: {gemm: tiles}\nmethod: unolora\n"
        let failure = try #require(throws: Failure.self) {
            _ = try settings(setting, also: more.replacing("method", with: "model.products: bf16x3\nmethod"))
        }
        let key = setting.prefix { $0 != "=" }
        let start = "--set \(setting): \(key) decided what was trained, with the value \(was),"
        #expect(failure.message.hasPrefix(start), "\(failure.message)")
    }

    @Test func `a library is not refused by the run's file, and a split not with a rule that is fixed`() throws {
        #expect(try settings("parallel.gemm=tiles").configuration.gemm == "tiles")
        let dev = "data.glueSplits: dev\n"
        let failure = try #require(throws: Failure.self) { _ = try settings("eval.split=test", also: dev) }
        #expect(failure.message.hasPrefix("--set eval.split=test: "), "\(failure.message)")
        #expect(failure.message.hasSuffix("; use eval.split validation"), "\(failure.message)")
    }
}
