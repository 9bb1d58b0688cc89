import Configuration
import Failures
import Foundation
import TestSupport
import Testing

@Suite struct ValueTests {
    @Test func `without a preset the values are the paper's`() throws {
        let paper = try load(complete)
        #expect(paper == (try load(complete + "preset: paper\n")))
        #expect(paper.tasks.map(\.name) == ["cola", "mnli", "mrpc", "qnli", "qqp", "rte", "sst2", "stsb"])
        #expect((paper.rankA, paper.rankB) == (8, 8))
        #expect((paper.alpha, paper.loraDropout, paper.aInit, paper.dropoutMask) == (16, 0.1, "kaimingIn", "perInput"))
        #expect(
            paper.targets == [
                "encoderSelf": ["q", "v"], "decoderSelf": ["q", "v"], "decoderCross": ["q", "v"], "feedForward": [],
            ])
        #expect((paper.hyperDim, paper.hyperOutDim, paper.hyperBottleneck) == (8, 8, 16))
        #expect(paper.hyperInputs == ["task", "position", "sample"])
        #expect(paper.hyperStartsAtOne && paper.hyperPositionModulus(blocks: 24) == nil)
        #expect((paper.learningRate, paper.schedule, paper.warmup, paper.steps) == (1e-4, .cosine, 1000, 262_144))
        #expect((paper.globalBatch, paper.microBatch) == (32, 4))
        #expect((paper.temperature, paper.samplerCap, paper.granularity) == (10, nil, .batch))
        #expect((paper.beta1, paper.beta2, paper.epsilon, paper.weightDecay) == (0.9, 0.999, 1e-8, 0.01))
        #expect(paper.clip == 1 && paper.labelSmoothing == 0 && !paper.sumsLoss && paper.padTargets == nil)
        #expect(paper.maxSource == 128 && !paper.skipsBadRows && !paper.dropsDuplicates && !paper.usesLabelWords)
        #expect(paper.dropout == nil && paper.threads == nil && paper.interferenceEvery == 50)
    }

    @Test func `the preset hyperformer changes optimiser, loss and sizes`() throws {
        let preset = try load(complete + "preset: hyperformer\n")
        #expect((preset.learningRate, preset.schedule, preset.warmup, preset.weightDecay) == (3e-4, .linear, 500, 0))
        #expect((preset.labelSmoothing, preset.sumsLoss) == (0.1, true))
        #expect((preset.globalBatch, preset.steps) == (128, 65_536))
        #expect((preset.rankA, preset.temperature) == (8, 10))
    }

    @Test func `the preset repo is what the authors' code does`() throws {
        let preset = try load(complete + "preset: repo\n")
        #expect((preset.method, preset.aInit, preset.hyperStartsAtOne) == ("unolora_star", "kaimingRank", false))
        // t5-base has 12 + 12 blocks; the authors' code uses 48 there.
        #expect((preset.hyperPositionModulus(blocks: 24), preset.padTargets) == (48, 64))
        #expect(preset.hyperPositionModulus(blocks: 12) == 24)
    }

    @Test func `the file changes the preset and an override changes the file, the last one last`() throws {
        let text = complete + "preset: hyperformer\nlr: {peak: 5e-4}\n"
        #expect(try load(text).learningRate == 5e-4)
        let overridden = try load(text, set: "lr.peak=1e-3", "lr.peak=2e-3", "preset=paper")
        #expect((overridden.learningRate, overridden.warmup, overridden.preset) == (2e-3, 1000, "paper"))
        #expect(try load(text, set: "tasks=[rte, cola]").tasks.map(\.name) == ["rte", "cola"])
    }

    @Test func `numbers, words and null are read as they are written`() throws {
        let text = """
            model: t5
            data: {glue: g, maxSource: 64}
            labels: {style: words}
            sampler: {temperature: infinity, cap: 1_000}
            train: {steps: 1e4, stopBefore: 2m}
            optim: {clip: null}
            eval: {every: none, maxExamples: 10}
            parallel: {threads: 3, stallTimeout: 1.5h}
            lora: {rankA: 4, rankB: 16, targets: {decoderCross: [o, k], feedForward: [wi_0]}}
            dropout: 0

            """
        let configuration = try load(text)
        #expect(configuration.temperature == .infinity)
        #expect((configuration.samplerCap, configuration.steps, configuration.stopBefore) == (1000, 10_000, 120))
        #expect(configuration.clip == nil && configuration.evaluateEvery == nil && configuration.usesLabelWords)
        #expect((configuration.threads, configuration.stallTimeout, configuration.dropout) == (3, 5400, 0))
        #expect((configuration.rankA, configuration.rankB) == (4, 16))
        #expect(
            configuration.targets == [
                "encoderSelf": [], "decoderSelf": [], "decoderCross": ["o", "k"], "feedForward": ["wi_0"],
            ])
        #expect(try load(complete, set: "sampler.temperature=.inf").temperature == .infinity)
        #expect(
            try load(complete + "method: unolora_star\n", set: "hyper.positions=modulo(12)")
                .hyperPositionModulus(blocks: 4) == 12)
    }

    @Test func `relative paths are the file's, those of an override the working directory's`() throws {
        let configuration = try load("model: ../models/t5\ndata: {glue: ./glue, cache: /tmp/cache}\n")
        #expect(configuration.model == "/models/t5")
        #expect(configuration.glue == "/runs/glue")
        #expect(configuration.cache == "/tmp/cache")
        let here = FileManager.default.currentDirectoryPath
        #expect(try load(complete, set: "model=there").model == here + "/there")
        let directory = try TemporaryDirectory()
        let path = try directory.write("a/run.yaml", "model: ../t5\ndata: {glue: glue}\n")
        let read = try RunConfiguration.load(file: path)
        #expect(read.model == directory.path + "/t5")
        #expect(read.glue == directory.path + "/a/glue")
    }

    @Test func `every property reads its key`() throws {
        let set = try load(
            complete,
            set: "data.cache=/c", "data.onBadRow=skip", "data.dropDuplicates=true", "data.splitSeed=7",
            "eval.every=11", "eval.atEnd=false", "eval.batch=12", "eval.maxExamples=13", "eval.ranks=all",
            "eval.split=test", "eval.maxNewTokens=14", "checkpoint.every=15", "checkpoint.keep=16",
            "checkpoint.best=taskMean", "log.every=17", "log.tensorBoard=false", "log.interferenceEvery=null",
            "train.seed=18", "lora.dropoutMask=perSite", "sampler.granularity=microBatch")
        #expect(set.cache == "/c" && set.skipsBadRows && set.dropsDuplicates && set.splitSeed == 7)
        #expect((set.evaluateEvery, set.evaluatesAtEnd, set.evaluationBatch) == (11, false, 12))
        #expect((set.evaluationMaxExamples, set.evaluatesOnAllRanks, set.evaluationSplit) == (13, true, "test"))
        #expect((set.maxNewTokens, set.checkpointEvery, set.checkpointKeep) == (14, 15, 16))
        #expect((set.checkpointBest, set.logEvery, set.writesTensorBoard) == (.taskMean, 17, false))
        #expect(set.interferenceEvery == nil && set.stopBefore == nil && set.stallTimeout == 60)
        #expect((set.seed, set.dropoutMask, set.granularity) == (18, "perSite", .microBatch))
        #expect((set.model, set.glue, set.method) == ("/runs/t5", "/glue", "unolora"))
    }
}
