/// What a trained adapter is to be used for, which decides what must be as it was in its training.
public enum AdapterUse: Sendable, Equatable {
    /// Training on, or once more: everything that decides the bits of the result.
    case training
    /// Figures of whole splits.
    case evaluation
    /// Answers of one task to any text.
    case prediction(task: String)

    /// Whether one task alone is asked for, so that others may differ.
    var isPrediction: Bool {
        if case .prediction = self { true } else { false }
    }

    /// Sections that act in training alone.
    private static let trainingSections = ["sampler", "batch", "train", "lr", "optim", "loss", "hyperformer"]
    /// Other keys that do. `parallel.gemm` chooses between libraries, whose figures are compared everywhere else too.
    private static let trainingKeys = [
        "dropout", "lora.dropout", "lora.dropoutMask", "lora.aInit", "parallel.reduction", "parallel.gemm",
    ]
    /// Keys that say which rows there are, and keys of a task that do, or say how it is measured.
    private static let dataKeys = ["data.onBadRow", "data.dropDuplicates", "data.splitSeed"]
    private static let taskDataKeys = ["format", "header", "columns", "holdOut", "label", "metrics", "positive"]

    /// Whether what the adapter gives depends on a key of the configuration.
    func depends(on key: String) -> Bool {
        if self == .training { return true }
        let section = key.prefix { $0 != "." }
        guard !Self.trainingSections.contains(String(section)), !Self.trainingKeys.contains(key) else { return false }
        return self == .evaluation || !Self.dataKeys.contains(key)
    }

    /// Whether it depends on a key of the task of that name.
    func depends(onTaskKey key: String, of task: String) -> Bool {
        guard case .prediction(let asked) = self else { return true }
        return task == asked && !Self.taskDataKeys.contains(key)
    }
}
