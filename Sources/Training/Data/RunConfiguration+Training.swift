import Adapters
import Configuration
import Failures
import Optimizers
import T5
import Tasks

extension RunConfiguration {
    /// What the adapter is made of, for a backbone of this shape.
    func lowRankOptions(_ shape: T5Configuration) -> LowRankOptions {
        func leaves(_ key: String) -> Set<String> { Set(targets[key] ?? []) }
        var hyper = HypernetworkOptions()
        hyper.dimension = hyperDim
        hyper.outputDimension = hyperOutDim
        hyper.bottleneck = hyperBottleneck
        hyper.inputs = Set(hyperInputs.compactMap(HypernetworkOptions.Input.init))
        hyper.startsAtOne = hyperStartsAtOne
        hyper.positionModulus = hyperPositionModulus(blocks: shape.encoderBlocks + shape.decoderBlocks)
        return LowRankOptions(
            method: LowRankOptions.Method(rawValue: method) ?? .frozen, rankA: rankA, rankB: rankB, alpha: alpha,
            tasks: tasks.count,
            targets: LoraTargets(
                encoderSelf: leaves("encoderSelf"), decoderSelf: leaves("decoderSelf"),
                decoderCross: leaves("decoderCross"), feedForward: leaves("feedForward")),
            dropout: loraDropout, dropoutMask: dropoutMask == "perSite" ? .perSite : .perInput,
            aInitialisation: aInit == "kaimingRank" ? .kaimingRank : .kaimingIn, hyper: hyper)
    }

    /// The trainables on a backbone of this shape; refuses targets that it does not have.
    func lowRankLayout(_ shape: T5Configuration) throws(Failure) -> LowRankLayout {
        let options = lowRankOptions(shape)
        let present = Set(shape.projectionGroups().flatMap(\.projections).map(\.leaf))
        if let leaf = options.targets.feedForward.subtracting(present).min() {
            throw Failure(
                .badConfiguration,
                "lora.targets.feedForward names \(leaf), which \(model) does not have; its feed-forward has "
                    + ["wi", "wi_0", "wi_1", "wo"].filter(present.contains).joined(separator: ", "))
        }
        return LowRankLayout(options: options, configuration: shape)
    }

    /// Refuses trainables that a machine with so many bytes of memory cannot hold: every command on a run has weights,
    /// both moments and a worker's gradient in 4 bytes each, and its sums in 8.
    func check(_ layout: LowRankLayout, fits memory: UInt64) throws(Failure) {
        let count = layout.parameters.count
        guard count > Int(clamping: memory / 24) else { return }
        let keys = method == "unolora_star" ? "lora.rank, hyper.dim, hyper.outDim or hyper.bottleneck" : "lora.rank"
        throw Failure(
            .badConfiguration,
            "method \(method) has \(count) trainables here, which take \(Int(Double(count) * 24 / 0x1p30)) GiB, and this machine has "
                + "\(memory >> 30) GiB of memory; lower \(keys), or name fewer lora.targets")
    }

    /// What decides the bits of a step; `modelDropout` is the model's own rate.
    func trainOptions(modelDropout: Double, check: UInt64) -> TrainOptions {
        TrainOptions(
            seed: seed, microBatch: microBatch, dropout: dropout ?? modelDropout,
            labelSmoothing: labelSmoothing, sumsLoss: sumsLoss, padTargets: padTargets, clip: clip,
            optimizer: AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay),
            schedule: LearningRateSchedule(
                peak: learningRate, warmup: warmup, steps: steps,
                decay: LearningRateSchedule.Decay(rawValue: schedule) ?? .cosine),
            skipsNonFinite: skipsNonFinite, check: check)
    }

    /// The stream of examples for tasks with so many training examples.
    func sampler(_ mixture: Mixture) throws(Failure) -> Sampler {
        try Sampler(
            seed: seed, mixture: mixture, granularity: Sampler.Granularity(rawValue: granularity) ?? .batch,
            batch: globalBatch, micro: microBatch)
    }
}
