import Failures
import Tensors

extension AdapterConfiguration {
    /// The configuration of an adapter with these options.
    init(_ options: LowRankOptions) {
        self.init(
            method: options.method.rawValue, rank: options.rankA, alpha: options.alpha, tasks: options.tasks)
        rankA = options.rankA
        rankB = options.rankB
        targets = [
            "encoderSelf": options.targets.encoderSelf.sorted(), "decoderSelf": options.targets.decoderSelf.sorted(),
            "decoderCross": options.targets.decoderCross.sorted(), "feedForward": options.targets.feedForward.sorted(),
        ]
        loraDropout = options.dropout
        loraDropoutMask = options.dropoutMask.rawValue
        if options.method == .unoloraStar {
            let hyper = options.hyper
            hyperInputs = HypernetworkOptions.Input.allCases.filter(hyper.inputs.contains).map(\.rawValue)
            hyperScaleInit = hyper.startsAtOne ? "onePlus" : "zeroMean"
            hyperPositions = hyper.positionModulus
            hyperDim = hyper.dimension
            hyperOutDim = hyper.outputDimension
            hyperBottleneck = hyper.bottleneck
            switch hyper.trained {
            case .everything: break
            case .nothing: hyperFreeze = true
            case .tasks(let tasks): hyperTrainedTasks = tasks
            }
        }
        // As long as they are false they are left out, as in files of earlier versions.
        if options.freezesA { loraFreezeA = true }
        if options.freezesB { loraFreezeB = true }
        if options.aInitialisation != .kaimingIn { loraAInit = options.aInitialisation.rawValue }
    }

    /// The options of a low-rank method; refuses values that make no sense. `path` is for messages.
    func lowRankOptions(_ known: LowRankOptions.Method, path: String) throws(Failure) -> LowRankOptions {
        let (a, b) = (rankA ?? rank, rankB ?? rankA ?? rank)
        guard (1...4096).contains(a), (1...4096).contains(b), (1...100_000).contains(tasks), alpha.isFinite else {
            throw Failure(.badData, "\(path): rank, alpha or tasks is out of range")
        }
        var options = LowRankOptions(method: known, rankA: a, rankB: b, alpha: alpha, tasks: tasks)
        if let targets {
            func leaves(_ key: String) -> Set<String> { Set(targets[key] ?? []) }
            options.targets = LoraTargets(
                encoderSelf: leaves("encoderSelf"), decoderSelf: leaves("decoderSelf"),
                decoderCross: leaves("decoderCross"), feedForward: leaves("feedForward"))
        }
        options.dropout = loraDropout ?? options.dropout
        guard options.dropout >= 0, options.dropout < 1 else {
            throw Failure(.badData, "\(path): loraDropout must be at least 0 and below 1")
        }
        options.dropoutMask = try value(loraDropoutMask, "loraDropoutMask", path) ?? .perInput
        options.aInitialisation = try value(loraAInit, "loraAInit", path) ?? .kaimingIn
        (options.freezesA, options.freezesB) = (loraFreezeA ?? false, loraFreezeB ?? false)
        options.hyper = try hypernetworkOptions(path)
        return options
    }

    private func hypernetworkOptions(_ path: String) throws(Failure) -> HypernetworkOptions {
        var hyper = HypernetworkOptions()
        hyper.dimension = hyperDim ?? hyper.dimension
        hyper.outputDimension = hyperOutDim ?? hyper.outputDimension
        hyper.bottleneck = hyperBottleneck ?? hyper.bottleneck
        hyper.positionModulus = hyperPositions
        for size in [hyper.dimension, hyper.outputDimension, hyper.bottleneck, hyper.positionModulus ?? 1]
        where !(1...65536).contains(size) {
            throw Failure(.badData, "\(path): a size of the hypernetwork is \(size), but must be from 1 to 65536")
        }
        if let names = hyperInputs {
            var inputs: Set<HypernetworkOptions.Input> = []
            for name in names {
                guard let input = HypernetworkOptions.Input(rawValue: name) else {
                    throw Failure(
                        .badData, "\(path): hyperInputs has \(name.shown), but knows task, position and sample")
                }
                inputs.insert(input)
            }
            hyper.inputs = inputs
        }
        guard !hyper.inputs.isEmpty else { throw Failure(.badData, "\(path): hyperInputs names no input") }
        guard ["onePlus", "zeroMean", nil].contains(hyperScaleInit) else {
            throw Failure(.badData, "\(path): hyperScaleInit must be onePlus or zeroMean")
        }
        hyper.startsAtOne = hyperScaleInit != "zeroMean"
        if let trained = hyperTrainedTasks {
            let known = Set(trained)
            guard known.count == trained.count, known.allSatisfy({ (0..<tasks).contains($0) }),
                hyper.inputs.contains(.task)
            else {
                throw Failure(
                    .badData,
                    "\(path): hyperTrainedTasks must be different numbers of tasks, from 0 to \(tasks - 1), and hyperInputs "
                        + "must have task")
            }
            hyper.trained = .tasks(trained.sorted())
        }
        if hyperFreeze ?? false { hyper.trained = .nothing }
        return hyper
    }

    private func value<T: RawRepresentable>(
        _ text: String?, _ key: String, _ path: String
    ) throws(Failure) -> T? where T.RawValue == String {
        guard let text else { return nil }
        guard let value = T(rawValue: text) else { throw Failure(.badData, "\(path): \(key) cannot be \(text.shown)") }
        return value
    }
}
