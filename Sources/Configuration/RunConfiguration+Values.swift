/// Typed access to the values, one property per key; names follow the keys.
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

    /// The case of an enum whose raw values are the key's words.
    func choice<Choice: RawRepresentable<String>>(_ path: String) -> Choice {
        guard let choice = Choice(rawValue: text(path)) else { preconditionFailure("\(path) is one of its words") }
        return choice
    }

    func flag(_ path: String) -> Bool { values[path] == .flag(true) }

    func texts(_ value: Value?) -> [String] { value?.texts ?? [] }

    /// Name of the preset on which the values are based.
    public var preset: String { text("preset") }
    /// Hugging Face directory of the backbone.
    public var model: String { text("model") }
    /// What is trained: one of `KeyTable.methods`.
    public var method: String { text("method") }
    /// Whether every weight of the model is trained.
    public var trainsWholeModel: Bool { method == "full" }
    /// Whether the keys of `lora` have a meaning for the method.
    public var hasLoraKeys: Bool { KeyTable.owners["lora"]?.contains(method) ?? false }
    /// Dropout rate at the backbone's places; nil for the model's own.
    public var dropout: Double? { optionalNumber("dropout") }
    /// Absolute path of GLUE's directory; nil when no task of GLUE is used.
    public var glue: String? { optionalText("data.glue") }
    /// Absolute path of SuperGLUE's directory; nil when no task of SuperGLUE is used.
    public var superglue: String? { optionalText("data.superglue") }
    /// Absolute path of the token cache's directory; nil for the default beside the run directory.
    public var cache: String? { optionalText("data.cache") }
    /// Longest source in tokens, end included.
    public var maxSource: Int { integer("data.maxSource") }
    /// Longest target of free text in tokens, end included; nil when no task has free text.
    public var maxTarget: Int? {
        let hasFreeText = tasks.contains { task in
            if case .custom(let custom) = task { custom.hasFreeText } else { false }
        }
        return hasFreeText ? integer("data.maxTarget") : nil
    }
    /// Whether malformed rows are skipped and counted instead of refused.
    public var skipsBadRows: Bool { text("data.onBadRow") == "skip" }
    /// Whether training rows whose text is in another split are removed.
    public var dropsDuplicates: Bool { flag("data.dropDuplicates") }
    /// Seed of the halves and hold-outs of files.
    public var splitSeed: UInt64 { UInt64(integer("data.splitSeed")) }
    /// Whether answers are T5's own words instead of digits.
    public var usesLabelWords: Bool { text("data.labelStyle") == "words" }
    /// Rank of A.
    public var rankA: Int { optionalInteger("lora.rankA") ?? integer("lora.rank") }
    /// Rank of B.
    public var rankB: Int { optionalInteger("lora.rankB") ?? integer("lora.rank") }
    /// The update is scaled by `alpha / rankA`.
    public var alpha: Double { number("lora.alpha") }
    /// Dropout rate at the input of the low-rank path.
    public var loraDropout: Double { number("lora.dropout") }
    /// `perInput` or `perSite`.
    public var dropoutMask: String { text("lora.dropoutMask") }
    /// `kaimingIn` or `kaimingRank`.
    public var aInit: String { text("lora.aInit") }
    /// Whether every A stays as it began.
    public var freezesA: Bool { flag("lora.freezeA") }
    /// Whether every B stays as it began.
    public var freezesB: Bool { flag("lora.freezeB") }
    /// Leaves by attention.
    public var targets: [String: [String]] {
        guard case .mapping(let lists)? = values["lora.targets"] else { return [:] }
        return Dictionary(uniqueKeysWithValues: lists.map { ($0, texts($1)) })
    }
    /// Width h of the hypernetwork's embeddings.
    public var hyperDim: Int { integer("hyper.dim") }
    /// Width e of the hypernetwork's output.
    public var hyperOutDim: Int { integer("hyper.outDim") }
    /// Width inside the sample encoder.
    public var hyperBottleneck: Int { integer("hyper.bottleneck") }
    /// The model's width divided by the width of HyperFormer++'s adapters.
    public var hyperFormerReduction: Int { integer("hyperformer.reduction") }
    /// What the scales depend on: some of `task`, `position`, `sample`.
    public var hyperInputs: [String] { texts(values["hyper.inputs"]) }
    /// Whether a scale is 1 + the network's value.
    public var hyperStartsAtOne: Bool { text("hyper.scaleInit") == "onePlus" }
    /// Whether the hypernetwork stays as it began.
    public var freezesHypernetwork: Bool { flag("hyper.freeze") }
    /// Whether of the hypernetwork only the embeddings of tasks are trained that the run's origin does not have.
    public var trainsOnlyNewTasks: Bool { method == "unolora_star" && flag("hyper.onlyNewTasks") }
    /// P of `modulo(P)` for a model with `blocks` blocks in encoder and decoder together; nil when each site has its own
    /// position embedding.
    public func hyperPositionModulus(blocks: Int) -> Int? {
        if text("hyper.positions") == "modulo(twiceBlocks)" { return 2 * blocks }
        return text("hyper.positions").wholeMatch(of: #/modulo\((\d+)\)/#).flatMap { Int($0.1) }
    }
    /// Directory of the adapter from which the run begins; nil for a random start.
    public var origin: String? { optionalText("init.from") }
    /// `p_t ~ (n_t/N)^(1/temperature)`; may be infinite.
    public var temperature: Double {
        values["sampler.temperature"] == .text("infinity") ? .infinity : number("sampler.temperature")
    }
    /// Largest n_t before the exponent; nil for no limit.
    public var samplerCap: Int? { optionalInteger("sampler.cap") }
    /// Examples per step, a multiple of `microBatch`.
    public var globalBatch: Int { integer("batch.global") }
    /// Examples per micro-batch.
    public var microBatch: Int { integer("batch.micro") }
    /// Steps of the run.
    public var steps: Int { integer("train.steps") }
    /// Seed of adapter, sampling and dropout.
    public var seed: UInt64 { UInt64(integer("train.seed")) }
    /// Seconds before the end of the job at which to stop; nil for no stop.
    public var stopBefore: Double? { optionalNumber("train.stopBefore") }
    /// Highest learning rate.
    public var learningRate: Double { number("lr.peak") }
    /// Steps of linear warmup, at most `steps`.
    public var warmup: Int { integer("lr.warmup") }
    /// Decay rate of the mean of gradients.
    public var beta1: Double { number("optim.beta1") }
    /// Decay rate of the mean of squares.
    public var beta2: Double { number("optim.beta2") }
    /// Added to the square root of the second moment.
    public var epsilon: Double { number("optim.epsilon") }
    /// Decoupled weight decay.
    public var weightDecay: Double { number("optim.weightDecay") }
    /// Largest global norm of the gradient; nil does not clip.
    public var clip: Double? { optionalNumber("optim.clip") }
    /// Share of a target spread over the vocabulary.
    public var labelSmoothing: Double { number("loss.labelSmoothing") }
    /// Whether the loss is the sum over label tokens instead of their mean.
    public var sumsLoss: Bool { text("loss.reduction") == "sum" }
    /// Length in tokens to which targets are padded with padding that counts; nil for none.
    public var padTargets: Int? { optionalInteger("loss.padTargets") }
    /// Steps between evaluations; nil for none during training.
    public var evaluateEvery: Int? { optionalInteger("eval.every") }
    /// Whether the last step is evaluated.
    public var evaluatesAtEnd: Bool { flag("eval.atEnd") }
    /// Whether training evaluates anything.
    public var evaluates: Bool { evaluatesAtEnd || evaluateEvery.map { $0 <= steps } ?? false }
    /// Examples per evaluation batch.
    public var evaluationBatch: Int { integer("eval.batch") }
    /// Largest number of validation examples of a task during training; nil for all.
    public var evaluationMaxExamples: Int? { optionalInteger("eval.maxExamples") }
    /// Whether all ranks decode instead of rank 0 alone.
    public var evaluatesOnAllRanks: Bool { text("eval.ranks") == "all" }
    /// Generation budget; nil for max(4, the task's longest label).
    public var maxNewTokens: Int? { optionalInteger("eval.maxNewTokens") }
    /// Steps between checkpoints; nil for the last and best only.
    public var checkpointEvery: Int? { optionalInteger("checkpoint.every") }
    /// Number of newest checkpoints that are kept, in addition to the best.
    public var checkpointKeep: Int { integer("checkpoint.keep") }
    /// Threads per rank; nil for as many as the cores allow.
    public var threads: Int? { values["parallel.threads"] == .text("auto") ? nil : integer("parallel.threads") }
    /// How the frozen matrices are stored in memory.
    public var storage: ModelStorage { choice("model.storage") }
    /// The number format in which products with frozen weights compute.
    public var products: ModelProducts { choice("model.products") }
    /// `auto`, `openblas` or `onednn`: the library that computes the products with frozen weights.
    public var gemm: String { text("parallel.gemm") }
    /// Whether the last completed step is also kept in a file.
    public var keepsSnapshotFile: Bool { text("checkpoint.snapshot") == "file" }
    /// Whether a step that is not finite is left out instead of ending the run.
    public var skipsNonFinite: Bool { text("train.onNonFinite") == "skip" }
    /// `validation` or `test`: the split that is evaluated during training.
    public var evaluationSplit: String { text("eval.split") }
    /// Seconds without progress of a rank after which the job ends.
    public var stallTimeout: Double { number("parallel.stallTimeout") }
    /// Whether a TensorBoard event file is written.
    public var writesTensorBoard: Bool { flag("log.tensorBoard") }
    /// Steps between measurements of the interference of tasks, as the key says; nil for none.
    public var interferenceEvery: Int? { optionalInteger("log.interferenceEvery") }
    /// The same; nil also where there is nothing to measure.
    public var measuredInterference: Int? {
        tasks.count > 1 && !["frozen", "lora_per_task"].contains(method) ? interferenceEvery : nil
    }
    /// Whether running averages of the tasks' gradients are kept.
    public var averagesGradients: Bool { measuredInterference != nil && granularity == .batch }
    /// Whether the gradients of some steps are summed task by task.
    public var sumsGradientsByTask: Bool {
        conflict == .pcgrad || (measuredInterference != nil && granularity != .batch)
    }
    /// Steps between lines of metrics.jsonl.
    public var logEvery: Int { integer("log.every") }
}
