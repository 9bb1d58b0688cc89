package import Adapters
package import Backbone
import Configuration
package import Failures
import Optimizers
package import Tasks
import Tensors

extension RunConfiguration {
    /// The configuration of the method, for a backbone of this shape.
    ///
    /// - Parameter newTasks: the names of the tasks that the run's origin does not have, if only these are trained of the
    ///   hypernetwork (`hyper.onlyNewTasks`). A use that trains nothing may leave them out.
    package func adapterConfiguration(
        _ shape: any BackboneShape, newTasks: [String]? = nil
    ) -> AdapterConfiguration {
        guard hasLoraKeys else {
            var adapter = AdapterConfiguration(method: method, rank: 0, alpha: 0, tasks: tasks.count)
            if method == "hyperformer_pp" { adapter.reduction = hyperFormerReduction }
            return adapter
        }
        var adapter = AdapterConfiguration(method: method, rank: rankA, alpha: alpha, tasks: tasks.count)
        (adapter.rankA, adapter.rankB) = (rankA, rankB)
        adapter.targets = targets
        adapter.loraDropout = loraDropout
        adapter.loraDropoutMask = dropoutMask
        adapter.loraAInit = aInit
        adapter.hyperInputs = hyperInputs
        adapter.hyperScaleInit = hyperStartsAtOne ? "onePlus" : "zeroMean"
        adapter.hyperPositions = hyperPositionModulus(blocks: shape.blockCount)
        adapter.hyperDim = hyperDim
        adapter.hyperOutDim = hyperOutDim
        adapter.hyperBottleneck = hyperBottleneck
        (adapter.loraFreezeA, adapter.loraFreezeB, adapter.hyperFreeze) = (freezesA, freezesB, freezesHypernetwork)
        adapter.hyperTrainedTasks = newTasks.map { names in
            tasks.enumerated().filter { names.contains($0.element.name) }.map(\.offset)
        }
        return adapter
    }

    /// The method on a backbone of this shape. Refuses what the backbone does not have; with `isNew` also refuses values with
    /// which an old run may go on. `newTasks` as in `adapterConfiguration`.
    package func method(
        _ shape: any BackboneShape, isNew: Bool, newTasks: [String]? = nil
    ) throws(Failure) -> MadeMethod {
        let file = "config.yaml"
        return try MethodTable.standard.method(
            adapterConfiguration(shape, newTasks: newTasks), on: shape,
            from: isNew ? .newRun(model: model, file: file) : .run(model: model, file: file))
    }

    /// Refuses more trainables than the machine can hold: every command on a run has 4 bytes of weights for each; training has
    /// what `RankMemory` counts.
    func check(_ made: MadeMethod, training: Bool, fits limit: MemoryLimit) throws(Failure) {
        let bytes =
            training
            ? RankMemory.leastBytes(made.method, reduction.sum) : RankMemory.answeringBytes(made.method)
        guard bytes > Double(limit.bytes) else { return }
        throw Failure(
            .badConfiguration,
            "method \(method) has \(made.method.parameters.count) trainables here, which take \(Int(bytes / 0x1p30)) GiB, and "
                + "\(limit.name) has \(limit.bytes >> 30) GiB of memory; \(made.remedy)")
    }

    /// The options that decide the bits of a step; `modelDropout` is the model's own rate.
    package func trainOptions(modelDropout: Double, check: UInt64) -> TrainOptions {
        TrainOptions(
            seed: seed, microBatch: microBatch, dropout: dropout ?? modelDropout,
            labelSmoothing: labelSmoothing, sumsLoss: sumsLoss, padTargets: padTargets, clip: clip,
            optimizer: AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay),
            schedule: LearningRateSchedule(
                peak: learningRate, warmup: warmup, steps: steps,
                decay: schedule.decay),
            skipsNonFinite: skipsNonFinite, gradientSum: reduction.sum, projectsConflicts: conflict == .pcgrad,
            interferenceEvery: measuredInterference, check: check)
    }
}

extension MadeMethod {
    /// The configuration with the names and answers of a run's tasks, in the order of their ids.
    package func configuration(of definitions: [TaskDefinition]) -> AdapterConfiguration {
        var labels: [String: [String]] = [:]
        for definition in definitions {
            if case .classes(let answers) = definition.answers { labels[definition.name] = answers }
        }
        var adapter = configuration
        (adapter.taskNames, adapter.labels) = (definitions.map(\.name), labels)
        return adapter
    }
}

extension ReductionChoice {
    /// What sums the gradients.
    package var sum: GradientSum {
        switch self {
        case .exact: .exact
        case .fast: .fast
        }
    }
}

extension ScheduleChoice {
    fileprivate var decay: LearningRateSchedule.Decay {
        switch self {
        case .cosine: .cosine
        case .linear: .linear
        case .constant: .constant
        }
    }
}
