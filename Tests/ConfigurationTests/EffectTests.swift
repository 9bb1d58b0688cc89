import Configuration
import Testing

@Suite struct EffectTests {
    private static let custom = "model: t5\ntasks:\n  - {name: t, train: t.tsv, fields: [a], labels: [x, y]}\n"

    @Test func `where tasks share nothing, nothing is measured between them`() throws {
        #expect(try load(complete).warnings.isEmpty)
        let single = "log.interferenceEvery has no effect with a single task"
        #expect(try load(Self.custom, set: "log.interferenceEvery=50").warnings == [single])
        #expect(try load(Self.custom, set: "log.interferenceEvery=null").warnings.isEmpty)
        let apart = "log.interferenceEvery has no effect with method lora_per_task, whose tasks share no trained weight"
        let text = complete + "method: lora_per_task\nlog: {interferenceEvery: 7}\n"
        let configuration = try load(text)
        #expect(configuration.warnings == [apart] && configuration.measuredInterference == nil)
    }

    @Test func `a best checkpoint that the test split chooses is said`() throws {
        let said = try load(complete + "eval: {split: test}\n").warnings
        #expect(said.count == 1 && said[0].hasPrefix("eval.split test chooses the best checkpoint on the test split"))
        // A single evaluation chooses nothing.
        #expect(try load(complete + "eval: {split: test, every: null}\n").warnings.isEmpty)
        #expect(try load(complete + "train: {steps: 2000}\neval: {split: test, every: 2000}\n").warnings.isEmpty)
        #expect(try load(complete).warnings.isEmpty)
    }

    /// The record of a run of an earlier version has no such key.
    @Test func `the usual splits of GLUE are in no record`() throws {
        #expect(try !load(complete, set: "data.glueSplits=paper").resultText.contains("glueSplits"))
        #expect(try load(complete, set: "data.glueSplits=dev").resultText.contains("data.glueSplits: dev"))
        #expect(try load(Self.custom, set: "data.glueSplits=dev").warnings.count == 1)
    }

    /// Methods with many trainables measure only if they are asked to.
    @Test(arguments: [
        ("unolora", 50, 7), ("unolora_star", 50, 7), ("full", nil, 7), ("hyperformer_pp", nil, 7),
        ("lora_per_task", nil, nil), ("frozen", nil, nil),
    ])
    func `what is measured depends on the method`(method: String, usual: Int?, asked: Int?) throws {
        let text = complete + "method: \(method)\n"
        #expect(try load(text).measuredInterference == usual)
        #expect(try load(text, set: "log.interferenceEvery=7").measuredInterference == asked)
        #expect(try load(text, set: "log.interferenceEvery=null").measuredInterference == nil)
    }

    @Test(arguments: [
        (
            "method: frozen\nlora: {rank: 8}\noptim: {clip: null}\n",
            "lora.rank and optim.clip have no effect with method frozen, which trains nothing"
        ),
        (
            "method: full\nparallel: {gemm: openblas}\n",
            "parallel.gemm has no effect with method full, which changes every matrix and packs none"
        ),
        ("lora: {dropout: 0, dropoutMask: perInput}\n", "lora.dropoutMask has no effect with lora.dropout 0"),
        (
            "method: unolora_star\nhyper: {inputs: [task], bottleneck: 16}\n",
            "hyper.bottleneck has no effect since hyper.inputs has no sample"
        ),
        (
            "method: unolora_star\nhyper: {inputs: [task], positions: perSite}\n",
            "hyper.positions has no effect since hyper.inputs has no position"
        ),
        (
            "eval: {every: null, atEnd: false, maxExamples: 5, ranks: all, batch: 3}\n",
            "eval.maxExamples and eval.ranks have no effect since training evaluates nothing (eval.every, eval.atEnd, "
                + "train.steps)"
        ),
        (
            "train: {steps: 2000}\neval: {every: 3000, atEnd: false}\n",
            "eval.every has no effect since training evaluates nothing (eval.every, eval.atEnd, train.steps)"
        ),
        ("tasks: [rte]\nsampler: {cap: 9}\n", "sampler.cap has no effect with a single task"),
    ])
    func `a key that others leave without effect is said`(text: String, sentence: String) throws {
        #expect(try load(complete + text).warnings == [sentence])
    }

    @Test func `every so many steps may be more than a short run has`() throws {
        #expect(
            try load(complete, set: "train.steps=2000", "eval.every=3000", "checkpoint.every=3000").warnings.isEmpty)
    }

    @Test func `keys of GLUE are without effect where no task is GLUE's`() throws {
        let sentence = "data.glue and data.labelStyle have no effect since no task is one of GLUE's"
        #expect(try load(Self.custom + "data: {glue: /g, labelStyle: words}\n").warnings == [sentence])
        #expect(try load(Self.custom).warnings.isEmpty)
    }

    @Test func `keys of a preset, of a default and of a resolved file are nobody's wish`() throws {
        #expect(try load(complete + "preset: hyperformer\nmethod: frozen\n").warnings.isEmpty)
        let resolved = try load(complete + "method: frozen\ntrain: {steps: 5000}\n").resolvedYAML
        #expect(try load(resolved).warnings.isEmpty)
        // A key that was changed in the resolved file counts as the user's.
        #expect(try load(resolved, set: "lora.rank=8").warnings.count == 1)
        let changed = try load(complete + "method: frozen\ntrain: {steps: 5000}\nlora: {alpha: 3}\n").resolvedYAML
        #expect(try load(changed).warnings.map { $0.prefix(10) } == ["lora.alpha"])
    }
}
