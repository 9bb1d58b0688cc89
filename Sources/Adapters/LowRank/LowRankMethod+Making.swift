import Backbone
import Failures

extension LowRankMethod {
    /// Makes one of the low-rank methods. Refuses values that make no sense, targets that the backbone does not have, and, for
    /// a new run, a rank that is larger than the rank of any update of some adapted matrix can be.
    static func make(
        _ known: LowRankOptions.Method, _ configuration: AdapterConfiguration, _ shape: any BackboneShape,
        _ source: MethodSource
    ) throws(Failure) -> MadeMethod {
        let options = try configuration.lowRankOptions(known, path: source.path)
        try checkTargets(options, shape, source)
        let method = LowRankMethod(options, on: shape)
        if known != .frozen, method.siteCount == 0 { throw noSites(source) }
        if case .newRun = source { try method.checkRank(configuration) }
        return MadeMethod(
            method: method, configuration: AdapterConfiguration(options),
            remedy: known == .unoloraStar
                ? "lower lora.rank, hyper.dim, hyper.outDim or hyper.bottleneck, or name fewer lora.targets"
                : "lower lora.rank, or name fewer lora.targets")
    }

    /// The refusal of targets of which the backbone has none, such as those of an encoder on a model without one.
    private static func noSites(_ source: MethodSource) -> Failure {
        switch source {
        case .run(let model, _), .newRun(let model, _):
            Failure(
                .badConfiguration, "lora.targets names no projection that \(model) has; name one or use method frozen")
        case .file(let path): Failure(.badData, "\(path): targets names no projection that the model has")
        }
    }

    private static func checkTargets(
        _ options: LowRankOptions, _ shape: any BackboneShape, _ source: MethodSource
    ) throws(Failure) {
        let present = Set(shape.projectionGroups().flatMap(\.projections).map(\.leaf))
        guard let leaf = options.targets.feedForward.subtracting(present).min() else { return }
        let own =
            "its feed-forward has \(["wi", "wi_0", "wi_1", "wo"].filter(present.contains).joined(separator: ", "))"
        switch source {
        case .run(let model, _), .newRun(let model, _):
            throw Failure(
                .badConfiguration, "lora.targets.feedForward names \(leaf), which \(model) does not have; \(own)")
        case .file(let path):
            throw Failure(.badData, "\(path): targets names \(leaf), which the model does not have; \(own)")
        }
    }

    /// Refuses a rank that is larger than the rank of any update of some adapted matrix can be.
    private func checkRank(_ configuration: AdapterConfiguration) throws(Failure) {
        let (rankA, rankB) = (options.rankA, options.rankB)
        guard let narrowest, max(rankA, rankB) > narrowest.smallerSide else { return }
        let key = rankA == rankB ? "lora.rank" : rankA > rankB ? "lora.rankA" : "lora.rankB"
        throw Failure(
            .badConfiguration,
            "\(key) \(max(rankA, rankB)) is more than \(narrowest.smallerSide), the smaller side of \(narrowest.name) "
                + "(\(narrowest.outputWidth) x \(narrowest.inputWidth)): no update of it has that rank; lower it")
    }
}
