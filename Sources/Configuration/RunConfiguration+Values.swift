/// Typed access, one property a key; names follow the keys.
extension RunConfiguration {
    func integer(_ path: String) -> Int {
        guard case .integer(let value)? = values[path] else { preconditionFailure("\(path) is a whole number") }
        return value
    }

    func optionalInteger(_ path: String) -> Int? { values[path] == .null ? nil : integer(path) }

    func number(_ path: String) -> Double {
        guard case .number(let value)? = values[path] else { preconditionFailure("\(path) is a number") }
        return value
    }

    func optionalNumber(_ path: String) -> Double? { values[path] == .null ? nil : number(path) }

    func text(_ path: String) -> String {
        guard case .text(let value)? = values[path] else { preconditionFailure("\(path) is text") }
        return value
    }

    func optionalText(_ path: String) -> String? { values[path] == .null ? nil : text(path) }

    func flag(_ path: String) -> Bool { values[path] == .flag(true) }

    func texts(_ value: Value?) -> [String] {
        guard case .list(let items)? = value else { return [] }
        return items.compactMap { item in
            if case .text(let text) = item { return text }
            return nil
        }
    }

    public var preset: String { text("preset") }
    /// Hugging Face directory of the backbone.
    public var model: String { text("model") }
    public var method: String { text("method") }
    /// Dropout at T5's places; nil for the model's own.
    public var dropout: Double? { optionalNumber("dropout") }
    public var glue: String? { optionalText("data.glue") }
    public var cache: String? { optionalText("data.cache") }
    public var maxSource: Int { integer("data.maxSource") }
    public var skipsBadRows: Bool { text("data.onBadRow") == "skip" }
    public var dropsDuplicates: Bool { flag("data.dropDuplicates") }
    public var splitSeed: UInt64 { UInt64(integer("data.splitSeed")) }
    public var usesLabelWords: Bool { text("data.labelStyle") == "words" }
    public var rankA: Int { optionalInteger("lora.rankA") ?? integer("lora.rank") }
    public var rankB: Int { optionalInteger("lora.rankB") ?? integer("lora.rank") }
    public var alpha: Double { number("lora.alpha") }
    public var loraDropout: Double { number("lora.dropout") }
    public var dropoutMask: String { text("lora.dropoutMask") }
    public var aInit: String { text("lora.aInit") }
    /// Leaves by attention.
    public var targets: [String: [String]] {
        guard case .mapping(_, let lists)? = values["lora.targets"] else { return [:] }
        return lists.mapValues { texts($0) }
    }
    public var hyperDim: Int { integer("hyper.dim") }
    public var hyperOutDim: Int { integer("hyper.outDim") }
    public var hyperBottleneck: Int { integer("hyper.bottleneck") }
    public var hyperInputs: [String] { texts(values["hyper.inputs"]) }
    public var hyperStartsAtOne: Bool { text("hyper.scaleInit") == "onePlus" }
    /// P of `modulo(P)`; nil for a position embedding of each site's own.
    public var hyperPositionModulus: Int? {
        text("hyper.positions").wholeMatch(of: #/modulo\((\d+)\)/#).flatMap { Int($0.1) }
    }
    public var temperature: Double {
        values["sampler.temperature"] == .text("infinity") ? .infinity : number("sampler.temperature")
    }
    public var samplerCap: Int? { optionalInteger("sampler.cap") }
    public var granularity: String { text("sampler.granularity") }
    public var globalBatch: Int { integer("batch.global") }
    public var microBatch: Int { integer("batch.micro") }
    public var steps: Int { integer("train.steps") }
    public var seed: UInt64 { UInt64(integer("train.seed")) }
    /// Seconds.
    public var stopBefore: Double? { optionalNumber("train.stopBefore") }
    public var learningRate: Double { number("lr.peak") }
    public var schedule: String { text("lr.schedule") }
    public var warmup: Int { integer("lr.warmup") }
    public var beta1: Double { number("optim.beta1") }
    public var beta2: Double { number("optim.beta2") }
    public var epsilon: Double { number("optim.epsilon") }
    public var weightDecay: Double { number("optim.weightDecay") }
    public var clip: Double? { optionalNumber("optim.clip") }
    public var labelSmoothing: Double { number("loss.labelSmoothing") }
    public var sumsLoss: Bool { text("loss.reduction") == "sum" }
    public var padTargets: Int? { optionalInteger("loss.padTargets") }
    public var evaluateEvery: Int? { optionalInteger("eval.every") }
    public var evaluatesAtEnd: Bool { flag("eval.atEnd") }
    public var evaluationBatch: Int { integer("eval.batch") }
    public var evaluationMaxExamples: Int? { optionalInteger("eval.maxExamples") }
    public var evaluatesOnAllRanks: Bool { text("eval.ranks") == "all" }
    public var maxNewTokens: Int? { optionalInteger("eval.maxNewTokens") }
    public var checkpointEvery: Int? { optionalInteger("checkpoint.every") }
    public var checkpointKeep: Int { integer("checkpoint.keep") }
    /// nil for as many as the cores allow.
    public var threads: Int? { values["parallel.threads"] == .text("auto") ? nil : integer("parallel.threads") }
    public var logEvery: Int { integer("log.every") }

    /// The tasks in their order; the position is the task's id.
    public var tasks: [TaskEntry] {
        guard case .list(let items)? = values["tasks"] else { return [] }
        return items.compactMap { item in
            switch item {
            case .text(let name): .glue(name)
            case .mapping(_, let parts): .custom(customTask(parts))
            default: nil
            }
        }
    }

    private func customTask(_ parts: [String: Value]) -> CustomTask {
        func text(_ key: String) -> String? {
            if case .text(let value)? = parts[key] { return value }
            return nil
        }
        var labels: [(label: String, answer: String)] = []
        if case .mapping(let order, let answers)? = parts["labels"] {
            labels = order.compactMap { label in
                guard case .text(let answer)? = answers[label] else { return nil }
                return (label, answer)
            }
        }
        var range: CustomTask.Range?
        if case .list(let numbers)? = parts["range"], case .number(let low) = numbers[0],
            case .number(let high) = numbers[1], case .number(let step) = numbers[2]
        {
            range = CustomTask.Range(minimum: low, maximum: high, step: step)
        }
        var holdOut = 1000
        if case .integer(let rows)? = parts["holdOut"] { holdOut = rows }
        let metrics = texts(parts["metrics"])
        return CustomTask(
            name: text("name") ?? "", format: text("format").flatMap(CustomTask.Format.init) ?? .tsv,
            header: parts["header"] != .flag(false), columns: texts(parts["columns"]), train: text("train") ?? "",
            validation: text("validation"), test: text("test"), holdOut: holdOut, fields: texts(parts["fields"]),
            template: text("template"), label: text("label") ?? "label", labels: labels, range: range,
            metrics: metrics.isEmpty ? (range == nil ? ["accuracy"] : ["pearson", "spearman"]) : metrics)
    }
}
