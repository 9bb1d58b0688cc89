import Configuration
import Failures
import Studies
import Testing

@Suite struct StudyFileTests {
    @Test func `a study is read with its defaults`() throws {
        let study = try study("rows: [{name: only}]\n")
        #expect(study.runs.map(\.name) == ["only/seed-1"] && study.file.parallel == 1 && study.file.threads == nil)
        #expect(study.runs[0].configuration.steps == 100 && study.runs[0].configuration.cache == "/cache")
        #expect(study.references == [nil])
    }

    @Test func `later settings override earlier ones`() throws {
        let study = try study(
            """
            set: {lr.peak: 1e-3, lora: {rank: 2}}
            rows:
              - {name: plain}
              - {name: high, set: {lr.peak: 1e-2}}
            grid: {lora.alpha: [8, 32]}
            """, set: ["train.steps=50"])
        let runs = study.runs.map(\.configuration)
        #expect(runs.map(\.learningRate) == [1e-3, 1e-3, 1e-2, 1e-2])
        #expect(runs.map(\.alpha) == [8, 32, 8, 32])
        #expect(runs.allSatisfy { $0.rankA == 2 && $0.steps == 50 })
    }

    /// Relative paths of a study are relative to its file, those of the run to the run's file.
    @Test func `paths are relative to the file that has them`() throws {
        let study = try study("rows:\n  - {name: a}\n  - {name: b, set: {model: other}}\n")
        #expect(study.runs.map(\.configuration.model) == ["/runs/t5", "/studies/other"])
    }

    /// What is shared by rows of different methods is not refused for those to which it says nothing.
    @Test func `shared keys of a method do nothing for other methods`() throws {
        let study = try study(
            """
            set: {lora.rank: 4, hyper.dim: 4}
            rows:
              - {name: star, set: {method: unolora_star}}
              - {name: all, set: {method: full}}
            """)
        #expect(study.runs[0].configuration.rankA == 4 && study.runs[1].configuration.method == "full")
        let message = try refusal("rows:\n  - {name: all, set: {method: full, lora.rank: 4}}\n")
        #expect(message.hasPrefix("study.yaml:2: lora.rank has no meaning for method full"), "\(message)")
    }

    @Test(arguments: [
        ("row: []\n", "study.yaml:1: key row of a study is unknown; did you mean rows?"),
        ("set: {train.steps: 3}\n", "study.yaml: key rows is missing"),
        ("rows: []\n", "study.yaml:1: rows must be a list"),
        ("rows: [{set: {lr.peak: 1}}]\n", "study.yaml:1: a row needs a name"),
        ("rows:\n  - {name: a, buget: own}\n", "study.yaml:2: key buget of a row is unknown; did you mean budget?"),
        ("rows:\n  - {name: ../a}\n", "study.yaml:2: a row's name is made of letters"),
        ("rows:\n  - {name: a}\n  - {name: A}\n", "study.yaml:3: row A is there twice, first at study.yaml:2"),
        ("rows:\n  - {name: a, budget: some}\n", "study.yaml:2: budget must be one of equal, own, not `some`"),
        ("rows:\n  - {name: a, tasks: one}\n", "study.yaml:2: tasks must be all, each"),
        ("rows:\n  - {name: a, tasks: [rte, sst2]}\n", "study.yaml:2: row a has task sst2, which is none of"),
        (
            "rows:\n  - name: a\n    set: {lora.rnk: 4}\n",
            "study.yaml:3: key lora.rnk is unknown; did you mean lora.rank?"
        ),
        ("rows:\n  - name: a\n    set: {lora.rank: x}\n", "study.yaml:3: lora.rank must be a whole number"),
        ("rows:\n  - {name: a}\n  - {name: b}\n", "study.yaml:3: b has the same runs as a; remove it"),
        ("rows: [{name: a}]\nseeds: [1, 1]\n", "study.yaml:2: seeds must be a list of different whole numbers"),
        ("rows: [{name: a, set: {train.seed: 4}}]\n", "study.yaml:1: the seeds of a study are its key seeds"),
        (
            "rows: [{name: a, set: {parallel.threads: 4}}]\n",
            "study.yaml:1: parallel.threads is the same for all runs of a study; use the key threads"
        ),
        ("rows: [{name: a}]\ngrid: {parallel.threads: [4]}\n", "study.yaml:2: parallel.threads is the same"),
        ("rows: [{name: a}]\nset: {parallel: {threads: 4}}\n", "study.yaml:2: parallel.threads is the same"),
        (
            "rows: [{name: a, set: {tasks: [rte]}}]\n",
            "study.yaml:1: row a would not see each task as often as other rows do; choose tasks by the row's own key tasks"
        ),
        ("rows: [{name: a}]\ngrid: {tasks: [[rte], [cola]]}\n", "study.yaml:2: row a would not see each task"),
        (
            "rows: [{name: a}]\ngrid: {lora.rank: [4, 8]}\nreference: a\n",
            "study.yaml:3: reference a is the only row, and grid makes several lines of it; name one line, such as reference: a "
                + "lora.rank=4"
        ),
        ("rows: [{name: a}]\ngrid: {lora.rank: 4}\n", "study.yaml:2: grid needs a list of values for lora.rank"),
        ("rows: [{name: a}]\ngrid: {lora.rank: [4, 4]}\n", "study.yaml:2: grid has 4 twice for lora.rank"),
        ("rows: [{name: a}]\ngrid: {rank: [4]}\n", "study.yaml:2: key rank is unknown; did you mean lora.rank?"),
        (
            "rows:\n  - {name: a, set: {lora.rank: 2}}\ngrid: {lora.rank: [4]}\n",
            "study.yaml:2: row a sets lora.rank, which grid varies too"
        ),
        ("rows: [{name: a}]\nparallel: 0\n", "study.yaml:2: parallel must be a whole number from 1 to 1024, not `0`"),
        ("rows: [{name: a}]\nrun: a\nconfig: {}\n", "study.yaml: run and config cannot be given together"),
        ("rows: [{name: a}]\nreference: b\n", "study.yaml:2: reference b names no row"),
        ("rows: [{name: a, set: {eval.atEnd: false}}]\n", "study.yaml:1: row a has eval.atEnd false"),
        (
            "rows:\n  - {name: a}\n  - {name: b, from: aa}\n",
            "study.yaml:3: row b begins from aa, which is no row of this study; did you mean a? (a)"
        ),
        ("rows:\n  - {name: a}\n  - {name: b, from: [a]}\n", "study.yaml:3: from must be the name of another row"),
        (
            "rows:\n  - {name: a, tasks: each}\n  - {name: b, from: a}\n",
            "study.yaml:3: row b begins from a, which has a run and an adapter for each task; name a row with one run"
        ),
        (
            "rows:\n  - {name: a, from: a}\n",
            "study.yaml:2: row a begins from a, but rows that wait for one another never begin (a, from a)"
        ),
        (
            "rows:\n  - {name: a, from: c}\n  - {name: b, from: a}\n  - {name: c, from: b}\n",
            "study.yaml:2: row a begins from c, but rows that wait for one another never begin (a, from c, from b, from a); remove one"
        ),
        (
            "rows:\n  - {name: a}\n  - {name: b, from: a, set: {init.from: x}}\n",
            "study.yaml:3: row b has init.from and the key from; remove one of them"
        ),
        (
            "rows:\n  - {name: a}\n  - {name: b, from: a}\ngrid: {init.from: [x, y]}\n",
            "study.yaml:4: grid varies init.from, and row b has the key from; remove one of them"
        ),
        (
            "rows:\n  - {name: a, set: {init.newTask: random}}\n  - {name: b, from: a}\n",
            "study.yaml:2: init.newTask has no meaning without init.from"
        ),
        ("rows: [\n", "study.yaml:2: not valid YAML"),
        ("", "study.yaml: the file is empty"),
    ])
    func `a mistake is refused with its place`(text: String, message: String) throws {
        let refusal = try refusal(text)
        #expect(refusal.hasPrefix(message), "\(refusal)")
    }

    @Test func `a seed by an option is refused`() throws {
        #expect(try refusal("rows: [{name: a}]\n", set: ["train.seed=4"], code: .usage).hasPrefix("--set train.seed"))
    }

    @Test func `an origin by an option is refused beside that of a row`() throws {
        let text = "rows:\n  - {name: a, tasks: [cola]}\n  - {name: b, from: a, tasks: [rte]}\n"
        let message = try refusal(text, set: ["init.from=x"], code: .usage)
        #expect(message.hasPrefix("--set init.from: row b has an origin of its own by the key from"), "\(message)")
    }

    @Test func `threads by an option are refused`() throws {
        let message = try refusal("rows: [{name: a}]\n", set: ["parallel.threads=4"], code: .usage)
        #expect(message.hasPrefix("--set parallel.threads: ") && message.contains("use the key threads"))
    }
}
