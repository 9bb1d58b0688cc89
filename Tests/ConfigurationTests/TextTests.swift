import Failures
import Foundation
import TestSupport
import Testing

@testable import Configuration

@Suite struct TextTests {
    static let custom = """
        tasks:
          - cola
          - name: cb
            train: CB/train.jsonl
            validation: CB/val.jsonl
            fields: [premise, hypothesis]
            template: "say \\"{premise}\\": {hypothesis} {{x}} \\\\ é \\u2028"
            labels: {"yes": "1", no: null, none: "none", "a b": ~}
          - name: grade
            train: g.tsv
            header: false
            columns: [text, "label"]
            fields: [text]
            range: [0, 5, 0.2]

        """

    static let texts = [
        complete, complete + "preset: hyperformer\n", complete + "preset: repo\n",
        complete + "preset: repo\nmethod: unolora\n", complete + "method: frozen\n", complete + custom,
        complete + "method: full\n", complete + "preset: repo\nmethod: full\n",
        complete + "method: hyperformer_pp\nhyperformer: {reduction: 16}\n",
        complete
            + "method: unolora_star\nhyper: {inputs: [sample], positions: modulo(7)}\nsampler: {temperature: .inf}\n",
        complete + "lora: {rankA: 3, rankB: 5, targets: {feedForward: [wo, wi]}}\ntrain: {stopBefore: 90s}\n",
        "model: 'a \"b\" #c: d'\ndata: {glue: \"x\\ty\\u0085\", cache: null}\nlr: {peak: 1.2345678901234567e-7}\n",
    ]

    @Test(arguments: texts) func `the resolved text reads back as an equal configuration`(text: String) throws {
        let configuration = try load(text)
        let again = try load(configuration.resolvedYAML)
        #expect(again == configuration)
        #expect(again.resolvedYAML == configuration.resolvedYAML)
        #expect(again.resultText == configuration.resultText)
    }

    @Test func `the resolved text holds keys in the order of the reference and none without a meaning`() throws {
        let text = try load(complete).resolvedYAML
        #expect(
            text.hasPrefix(
                "# Every key of a run as it was used, by unolora-dist.\npreset: paper\nmodel: /runs/t5\nmodel.storage: float32\nmodel.products: float32\nmethod: unolora\ntasks:\n  - cola\n"
            ))
        #expect(text.contains("\nlora:\n  rank: 8\n  rankA: null\n"))
        #expect(!text.contains("hyper"))
        #expect(try load(complete + "preset: repo\n").resolvedYAML.contains("\nhyper:\n  dim: 8\n"))
    }

    /// A key more would keep every earlier run from going on, since its record does not have the key.
    @Test func `the keys that decide a result are those of earlier versions, apart from a method's own`() throws {
        let lines = try load(complete).resultText.split(separator: "\n")
        let keys = lines.map { $0.prefix { $0 != ":" } }
        #expect(keys.count == 39, "\(keys)")
        #expect(keys.allSatisfy { KeyTable.owners[RunConfiguration.section(String($0))]?.contains("unolora") ?? true })
    }

    @Test func `what is frozen is in the record of a run, and has no part in its answers`() throws {
        let settings = ["method=unolora_star", "init.from=a"]
        let keys = ["lora.freezeA", "lora.freezeB", "hyper.freeze", "hyper.onlyNewTasks"]
        let base = try RunConfiguration.load(
            yaml: complete, name: "run.yaml", directory: "/runs", overrides: settings)
        for key in keys {
            let frozen = try RunConfiguration.load(
                yaml: complete, name: "run.yaml", directory: "/runs", overrides: settings + ["\(key)=true"])
            #expect(!base.resultText.contains(key) && !base.recordText.contains(key) && !base.sharedText.contains(key))
            #expect(frozen.resultText.contains("\(key): true") && frozen.recordText.contains("\(key): true"))
            #expect(Self.differences(base, frozen) == ["\(key) was false and is true"])
            #expect(Self.differences(frozen, base) == ["\(key) was true and is false"])
            for use in [AdapterUse.evaluation, .prediction(task: "cola")] {
                #expect(Self.differences(base, frozen, for: use).isEmpty)
                #expect(base.resultText(for: use) == frozen.resultText(for: use))
            }
            let again = try load(frozen.resolvedYAML)
            #expect(again == frozen && again.warnings.isEmpty)
        }
        for line in ["  freezeA: false", "  onlyNewTasks: false"] {
            #expect(base.resolvedYAML.contains("\n\(line)\n"))
        }
    }

    @Test func `the resolved text of a method without low-rank matrices has no section of them`() throws {
        for (method, preset) in [("full", "paper"), ("hyperformer_pp", "paper"), ("full", "repo")] {
            let text = try load(complete + "method: \(method)\npreset: \(preset)\n").resolvedYAML
            #expect(!text.contains("lora:") && !text.contains("hyper:"), "\(text)")
            #expect(text.contains("\nhyperformer:\n  reduction: 32\n") == (method == "hyperformer_pp"))
        }
    }

    @Test func `the model may be a mapping of path, storage and products`() throws {
        let dotted = try load(complete, set: "model.products=int8")
        let mapping = try load(
            complete.replacingOccurrences(of: "model: t5", with: "model: {path: t5, storage: float32, products: int8}"))
        #expect(mapping == dotted)
        #expect(dotted != (try load(complete)))
        #expect(dotted.products.quantises == (true, true) && dotted.storage == .float32)
        #expect(try load(complete, set: "model.products=int8Forward").products.quantises == (true, false))
        #expect(try load(complete, set: "model.products=int8Backward").products.quantises == (false, true))
        let kept = try load(complete, set: "model.storage=bfloat16")
        #expect(kept.storage == .bfloat16 && kept.products == .float32 && kept.products.quantises == (false, false))
    }

    @Test(arguments: [
        "parallel.threads=2", "parallel.stallTimeout=5m", "log.every=3", "log.tensorBoard=false", "eval.every=7",
        "checkpoint.keep=9", "checkpoint.every=5", "train.stopBefore=2m", "model=elsewhere", "data.glue=/other",
        "data.cache=/cache",
    ])
    func `what does not decide the result is not in its text`(override: String) throws {
        let changed = try load(complete, set: override)
        #expect(changed != (try load(complete)))
        #expect(changed.resultText == (try load(complete)).resultText)
    }

    @Test(arguments: [
        ("train.steps=2000", "train.steps"), ("train.seed=2", "train.seed"), ("batch.micro=2", "batch.micro"),
        ("lr.peak=1e-3", "lr.peak"), ("lora.rank=4", "lora.rank"), ("method=lora_per_task", "method"),
        ("data.maxSource=64", "data.maxSource"), ("sampler.temperature=1", "sampler.temperature"),
        ("parallel.gemm=openblas", "parallel.gemm"), ("model.storage=bfloat16", "model.storage"),
        ("model.products=int8", "model.products"), ("tasks=[rte, cola]", "tasks"), ("dropout=0", "dropout"),
    ])
    func `what decides the result differs and is named`(override: String, key: String) throws {
        let base = try load(complete)
        let differences = Self.differences(base, try load(complete, set: override))
        #expect(differences.count == 1)
        #expect(differences.first?.hasPrefix("\(key) was ") == true)
        #expect(Self.differences(base, base).isEmpty)
    }

    /// The reduction decides the shapes of an adapter's tensors.
    @Test func `another reduction is another adapter, in training and for answers`() throws {
        let base = try load(complete, set: "method=hyperformer_pp")
        let other = try load(complete, set: "method=hyperformer_pp", "hyperformer.reduction=16")
        for use in [AdapterUse.training, .evaluation, .prediction(task: "cola")] {
            #expect(Self.differences(base, other, for: use) == ["hyperformer.reduction was 32 and is 16"])
        }
    }

    @Test func `a difference tells both values, and keys that only one side has`() throws {
        let base = try load(complete)
        let other = try load(complete, set: "lr.peak=1e-3")
        #expect(Self.differences(base, other) == ["lr.peak was 0.0001 and is 0.001"])
        let star = try load(complete, set: "method=unolora_star")
        #expect(Self.differences(base, star).contains("hyper.dim was absent and is 8"))
        #expect(Self.differences(star, base).contains("hyper.dim was 8 and is absent"))
    }

    @Test(arguments: [
        ("metrics: [f1]", "task b: metrics was [accuracy, f1] and is [f1]"),
        ("labels: {x: 'yes', y: 'no'}", "task b: labels was {x: x, y: y} and is {x: yes, y: no}"),
        ("fields: [u, v]", "task b: fields was [v] and is [u, v]"),
        ("template: \"say {v}\"", "task b: template was absent and is say {v}"),
        ("positive: x", "task b: positive was absent and is x"),
        ("name: c", "tasks was [cola, b] and is [cola, c]"),
    ])
    func `a difference inside the tasks is told alone`(change: String, difference: String) throws {
        var lines = ["name: b", "train: b.tsv", "fields: [v]", "labels: [x, y]", "metrics: [accuracy, f1]"]
        func text() -> String { complete + "tasks:\n  - cola\n  - " + lines.joined(separator: "\n    ") + "\n" }
        let base = try load(text())
        let key = change.prefix { $0 != ":" }
        lines.removeAll { $0.hasPrefix(key + ":") }
        lines.append(change)
        #expect(Self.differences(base, try load(text())) == [difference])
    }

    private static func differences(
        _ old: RunConfiguration, _ new: RunConfiguration, for use: AdapterUse = .training
    ) -> [String] {
        RunConfiguration.differences(from: old.resultText, to: new.resultText, for: use)
    }

    /// The keys on which an evaluation and a prediction of task b depend.
    @Test(arguments: [
        ("train.steps=2000", false, false), ("lr.peak=1e-3", false, false), ("lora.dropout=0", false, false),
        ("dropout=0", false, false), ("batch.global=64", false, false), ("parallel.gemm=openblas", false, false),
        ("data.glueSplits=dev", true, false), ("data.splitSeed=9", true, false),
        ("data.dropDuplicates=true", true, false),
        ("data.onBadRow=skip", true, false), ("data.maxSource=64", true, true), ("data.labelStyle=words", true, true),
        ("lora.alpha=8", true, true), ("model.products=int8", true, true), ("model.storage=bfloat16", true, true),
        ("tasks=[rte, cola]", true, true),
    ])
    func `of a trained adapter some keys decide figures, and some answers`(
        override: String, figures: Bool, answers: Bool
    ) throws {
        let (base, other) = (try load(complete), try load(complete, set: override))
        #expect(Self.differences(base, other).count == 1)
        #expect(Self.differences(base, other, for: .evaluation).isEmpty == !figures)
        #expect(Self.differences(base, other, for: .prediction(task: "cola")).isEmpty == !answers)
        #expect((base.resultText(for: .evaluation) != other.resultText(for: .evaluation)) == figures)
    }

    @Test func `a prediction depends on the sources and answers of its own task alone`() throws {
        func text(_ b: String, _ c: String) throws -> RunConfiguration {
            try load(
                complete + "tasks:\n  - {name: b, train: b.tsv, fields: [v], labels: [x, y]\(b)}\n"
                    + "  - {name: c, train: c.tsv, fields: [v], labels: [x, y]\(c)}\n")
        }
        let base = try text("", "")
        let template = try text(", template: 'say {v}'", "")
        #expect(
            Self.differences(base, template, for: .prediction(task: "b"))
                == ["task b: template was absent and is say {v}"])
        #expect(Self.differences(base, template, for: .prediction(task: "c")).isEmpty)
        let measured = try text(", metrics: [matthews], holdOut: 7", ", label: z")
        #expect(Self.differences(base, measured, for: .prediction(task: "b")).isEmpty)
        #expect(
            Self.differences(base, measured, for: .evaluation) == [
                "task b: holdOut was absent and is 7", "task b: metrics was absent and is [matthews]",
                "task c: label was absent and is z",
            ])
    }

    @Test(arguments: [
        ("model=elsewhere", false), ("data.glue=elsewhere", false), ("data.cache=elsewhere", false),
        ("parallel.threads=3", false), ("eval.every=7", true), ("eval.ranks=all", true), ("log.every=3", true),
        ("eval.batch=3", true), ("checkpoint.every=9", true), ("train.seed=2", true),
    ])
    func `all but places and threads must be the same on every rank`(override: String, counts: Bool) throws {
        let (base, other) = (try load(complete), try load(complete, set: override))
        #expect(base != other)
        #expect((base.sharedText != other.sharedText) == counts)
    }

    @Test func `a custom task's labels and template decide the result, the places of its files do not`() throws {
        func text(_ labels: String, train: String) throws -> String {
            try load(
                "model: t5\ntasks:\n  - {name: t, train: \(train), fields: [a], labels: \(labels)}\n"
            ).resultText
        }
        let base = try text("[x, y]", train: "a.tsv")
        #expect(try text("[x, y]", train: "elsewhere/b.tsv") == base)
        #expect(try text("[y, x]", train: "a.tsv") != base)
        #expect(try text("{x: y, y: x}", train: "a.tsv") != base)
    }

    @Test func `paths that were relative stay so, from wherever the resolved file is read`() throws {
        let place = try TemporaryDirectory()
        for name in ["project/model/config.json", "project/data/t.tsv", "project/data/v.tsv", "fixed/f.tsv"] {
            try place.write(name, "x")
        }
        try FileManager.default.createDirectory(
            atPath: place.file("project/runs/one"), withIntermediateDirectories: true)
        let yaml = """
            model: model
            tasks:
              - {name: t, train: data/t.tsv, validation: data/v.tsv, fields: [a], labels: [x, y]}
              - {name: f, train: \(place.file("fixed/f.tsv")), fields: [a], labels: [x, y]}
            data: {cache: absent}

            """
        let file = try place.write("project/run.yaml", yaml)
        let configuration = try RunConfiguration.load(file: file)
        let resolved = configuration.resolvedYAML(in: place.file("project/runs/one"))
        for part in [
            "\nmodel: \"../../model\"\n", "train: \"../../data/t.tsv\"", "train: \(place.file("fixed/f.tsv"))",
        ] {
            #expect(resolved.contains(part), "\(resolved)")
        }
        // What does not exist yet cannot be checked, and is named in full.
        #expect(resolved.contains("cache: \(place.file("project/absent"))"), "\(resolved)")
        let written = try place.write("project/runs/one/config.yaml", resolved)
        let again = try RunConfiguration.load(file: written)
        #expect(again == configuration)
        #expect(again.resolvedYAML(in: place.file("project/runs/one")) == resolved)
        #expect(configuration.isSaid(by: Data(resolved.utf8), in: place.file("project/runs/one")))
        // The tree is moved as a whole.
        try FileManager.default.moveItem(atPath: place.file("project"), toPath: place.file("elsewhere"))
        let moved = try RunConfiguration.load(file: place.file("elsewhere/runs/one/config.yaml"))
        #expect(moved.model == place.file("elsewhere/model"))
        guard case .custom(let task) = moved.tasks[0], case .custom(let fixed) = moved.tasks[1] else { return }
        #expect(task.train == place.file("elsewhere/data/t.tsv") && fixed.train == place.file("fixed/f.tsv"))
    }

    @Test func `a path that links would lead elsewhere is named in full`() throws {
        let place = try TemporaryDirectory()
        try place.write("project/model/config.json", "x")
        try FileManager.default.createDirectory(atPath: place.file("far/away/run"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: place.file("project/run"), withDestinationPath: place.file("far/away/run"))
        let configuration = try RunConfiguration.load(
            yaml: "model: model\ndata: {glue: /glue}\n", name: "run.yaml", directory: place.file("project"))
        #expect(
            configuration.resolvedYAML(in: place.file("project/run")).contains(
                "\nmodel: \(place.file("project/model"))\n"))
    }
}
