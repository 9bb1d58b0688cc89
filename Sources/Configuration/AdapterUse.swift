/// The purpose for which a trained adapter is used; it decides which settings must be the same as in its training.
public enum AdapterUse: Sendable, Equatable {
    /// Continuing or repeating the training: everything that decides the bits of the result.
    case training
    /// Figures of whole splits.
    case evaluation
    /// Answers to any text of one task.
    case prediction(task: String)

    /// Whether only one task is needed, so that other tasks may differ.
    var isPrediction: Bool {
        if case .prediction = self { true } else { false }
    }

    /// Sections that affect only training.
    private static let trainingSections = ["sampler", "batch", "train", "lr", "optim", "loss", "init"]
    /// Other keys that affect only training. `parallel.gemm` chooses between libraries; their figures are compared elsewhere
    /// too.
    private static let trainingKeys = [
        "dropout", "lora.dropout", "lora.dropoutMask", "lora.aInit", "lora.freezeA", "lora.freezeB", "hyper.freeze",
        "hyper.onlyNewTasks", "parallel.reduction", "parallel.gemm",
    ]
    /// Keys that decide which rows there are, and keys of a task that do so or that decide how it is measured.
    private static let dataKeys = ["data.glueSplits", "data.onBadRow", "data.dropDuplicates", "data.splitSeed"]
    private static let taskDataKeys = [
        "format", "header", "columns", "holdOut", "label", "metrics", "positive", "target", "group",
    ]

    /// Whether the adapter's output depends on a key of the configuration.
    func depends(on key: String) -> Bool {
        if self == .training { return true }
        let section = key.prefix { $0 != "." }
        guard !Self.trainingSections.contains(String(section)), !Self.trainingKeys.contains(key) else { return false }
        return self == .evaluation || !Self.dataKeys.contains(key)
    }

    /// Whether the adapter's output depends on a key of the task with this name.
    func depends(onTaskKey key: String, of task: String) -> Bool {
        guard case .prediction(let asked) = self else { return true }
        return task == asked && !Self.taskDataKeys.contains(key)
    }
}
