import Adapters
import Configuration
import Failures
import Optimizers
import T5
import Tasks
import Tensors

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
    package func lowRankLayout(_ shape: T5Configuration) throws(Failure) -> LowRankLayout {
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

    /// Refuses a rank that no update of some adapted matrix can have.
    package func checkRank(_ layout: LowRankLayout) throws(Failure) {
        guard let narrowest = layout.narrowest, max(rankA, rankB) > narrowest.smallerSide else { return }
        let key = rankA == rankB ? "lora.rank" : rankA > rankB ? "lora.rankA" : "lora.rankB"
        throw Failure(
            .badConfiguration,
            "\(key) \(max(rankA, rankB)) is more than \(narrowest.smallerSide), the smaller side of \(narrowest.name) "
                + "(\(narrowest.outputWidth) x \(narrowest.inputWidth)): no update of it has that rank; lower it")
    }

    /// Refuses trainables that a machine cannot hold: every command on a run has weights, both moments and a worker's
    /// gradient in 4 bytes each, and its sums in 8; training has what `RankMemory` counts.
    func check(_ layout: LowRankLayout, training: Bool, fits limit: MemoryLimit) throws(Failure) {
        let count = layout.parameters.count
        let each = training ? RankMemory.leastBytesOfTrainable : 24
        guard count > limit.bytes / each else { return }
        let keys = method == "unolora_star" ? "lora.rank, hyper.dim, hyper.outDim or hyper.bottleneck" : "lora.rank"
        throw Failure(
            .badConfiguration,
            "method \(method) has \(count) trainables here, which take \(Int(Double(count) * Double(each) / 0x1p30)) GiB, and \(limit.name) has "
                + "\(limit.bytes >> 30) GiB of memory; lower \(keys), or name fewer lora.targets")
    }

    /// What decides the bits of a step; `modelDropout` is the model's own rate.
    package func trainOptions(modelDropout: Double, check: UInt64) -> TrainOptions {
        TrainOptions(
            seed: seed, microBatch: microBatch, dropout: dropout ?? modelDropout,
            labelSmoothing: labelSmoothing, sumsLoss: sumsLoss, padTargets: padTargets, clip: clip,
            optimizer: AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay),
            schedule: LearningRateSchedule(
                peak: learningRate, warmup: warmup, steps: steps,
                decay: LearningRateSchedule.Decay(rawValue: schedule) ?? .cosine),
            skipsNonFinite: skipsNonFinite, check: check)
    }
}
