import Configuration
import Testing

@Suite struct EffectTests {
    private static let custom = "model: t5\ntasks:\n  - {name: t, train: t.tsv, fields: [a], labels: [x, y]}\n"

    @Test func `a key that this version does not act upon is said however it is set, and not where it is not`() throws {
        #expect(try load(complete).warnings.isEmpty)
        let sentence = "log.interferenceEvery has no effect in this version"
        #expect(try load(complete + "log: {interferenceEvery: 50}\n").warnings == [sentence])
        #expect(try load(complete + "log: {interferenceEvery: null}\n").warnings == [sentence])
        #expect(try load(complete, set: "log.interferenceEvery=50").warnings == [sentence])
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
