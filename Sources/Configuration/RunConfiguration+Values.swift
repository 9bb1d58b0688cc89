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

    /// The value of `preset`.
    public var preset: String { text("preset") }
    /// Hugging Face directory of the backbone.
    public var model: String { text("model") }
    /// The value of `method`.
    public var method: String { text("method") }
    /// Dropout at T5's places; nil for the model's own.
    public var dropout: Double? { optionalNumber("dropout") }
    /// Directory of GLUE, `data.glue`.
    public var glue: String? { optionalText("data.glue") }
    /// The value of `data.cache`.
    public var cache: String? { optionalText("data.cache") }
    /// The value of `data.maxSource`.
    public var maxSource: Int { integer("data.maxSource") }
    /// Whether `data.onBadRow` is skip.
    public var skipsBadRows: Bool { text("data.onBadRow") == "skip" }
    /// The value of `data.dropDuplicates`.
    public var dropsDuplicates: Bool { flag("data.dropDuplicates") }
    /// The value of `data.splitSeed`.
    public var splitSeed: UInt64 { UInt64(integer("data.splitSeed")) }
    /// Whether `data.labelStyle` is words.
    public var usesLabelWords: Bool { text("data.labelStyle") == "words" }
    /// Rank of A: `lora.rankA`, else `lora.rank`.
    public var rankA: Int { optionalInteger("lora.rankA") ?? integer("lora.rank") }
    /// Rank of B: `lora.rankB`, else `lora.rank`.
    public var rankB: Int { optionalInteger("lora.rankB") ?? integer("lora.rank") }
    /// The value of `lora.alpha`.
    public var alpha: Double { number("lora.alpha") }
    /// The value of `lora.dropout`.
    public var loraDropout: Double { number("lora.dropout") }
    /// The value of `lora.dropoutMask`.
    public var dropoutMask: String { text("lora.dropoutMask") }
    /// The value of `lora.aInit`.
    public var aInit: String { text("lora.aInit") }
    /// Leaves by attention.
    public var targets: [String: [String]] {
        guard case .mapping(_, let lists)? = values["lora.targets"] else { return [:] }
        return lists.mapValues { texts($0) }
    }
    /// The value of `hyper.dim`.
    public var hyperDim: Int { integer("hyper.dim") }
    /// The value of `hyper.outDim`.
    public var hyperOutDim: Int { integer("hyper.outDim") }
    /// The value of `hyper.bottleneck`.
    public var hyperBottleneck: Int { integer("hyper.bottleneck") }
    /// The value of `hyper.inputs`.
    public var hyperInputs: [String] { texts(values["hyper.inputs"]) }
    /// Whether `hyper.scaleInit` is onePlus.
    public var hyperStartsAtOne: Bool { text("hyper.scaleInit") == "onePlus" }
    /// P of `modulo(P)`; nil for a position embedding of each site's own.
    public var hyperPositionModulus: Int? {
        text("hyper.positions").wholeMatch(of: #/modulo\((\d+)\)/#).flatMap { Int($0.1) }
    }
    /// `sampler.temperature`; may be infinite.
    public var temperature: Double {
        values["sampler.temperature"] == .text("infinity") ? .infinity : number("sampler.temperature")
    }
    /// The value of `sampler.cap`.
    public var samplerCap: Int? { optionalInteger("sampler.cap") }
    /// The value of `sampler.granularity`.
    public var granularity: String { text("sampler.granularity") }
    /// The value of `batch.global`.
    public var globalBatch: Int { integer("batch.global") }
    /// The value of `batch.micro`.
    public var microBatch: Int { integer("batch.micro") }
    /// The value of `train.steps`.
    public var steps: Int { integer("train.steps") }
    /// The value of `train.seed`.
    public var seed: UInt64 { UInt64(integer("train.seed")) }
    /// Seconds.
    public var stopBefore: Double? { optionalNumber("train.stopBefore") }
    /// The value of `lr.peak`.
    public var learningRate: Double { number("lr.peak") }
    /// The value of `lr.schedule`.
    public var schedule: String { text("lr.schedule") }
    /// The value of `lr.warmup`.
    public var warmup: Int { integer("lr.warmup") }
    /// The value of `optim.epsilon`.
    public var beta1: Double { number("optim.beta1") }
    /// The value of `optim.epsilon`.
    public var beta2: Double { number("optim.beta2") }
    /// The value of `optim.epsilon`.
    public var epsilon: Double { number("optim.epsilon") }
    /// The value of `optim.weightDecay`.
    public var weightDecay: Double { number("optim.weightDecay") }
    /// The value of `optim.clip`.
    public var clip: Double? { optionalNumber("optim.clip") }
    /// The value of `loss.labelSmoothing`.
    public var labelSmoothing: Double { number("loss.labelSmoothing") }
    /// Whether `loss.reduction` is sum.
    public var sumsLoss: Bool { text("loss.reduction") == "sum" }
    /// The value of `loss.padTargets`.
    public var padTargets: Int? { optionalInteger("loss.padTargets") }
    /// The value of `eval.every`.
    public var evaluateEvery: Int? { optionalInteger("eval.every") }
    /// The value of `eval.atEnd`.
    public var evaluatesAtEnd: Bool { flag("eval.atEnd") }
    /// The value of `eval.batch`.
    public var evaluationBatch: Int { integer("eval.batch") }
    /// The value of `eval.maxExamples`.
    public var evaluationMaxExamples: Int? { optionalInteger("eval.maxExamples") }
    /// Whether `eval.ranks` is all.
    public var evaluatesOnAllRanks: Bool { text("eval.ranks") == "all" }
    /// The value of `eval.maxNewTokens`.
    public var maxNewTokens: Int? { optionalInteger("eval.maxNewTokens") }
    /// The value of `checkpoint.every`.
    public var checkpointEvery: Int? { optionalInteger("checkpoint.every") }
    /// The value of `checkpoint.keep`.
    public var checkpointKeep: Int { integer("checkpoint.keep") }
    /// nil for as many as the cores allow.
    public var threads: Int? { values["parallel.threads"] == .text("auto") ? nil : integer("parallel.threads") }
    /// The value of `log.every`.
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
