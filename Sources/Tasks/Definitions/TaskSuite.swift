/// A published benchmark whose own files a task reads.
public enum TaskSuite: String, Sendable, Codable {
    /// gluebenchmark.com.
    case glue = "GLUE"

    /// The rows of the published file, its header not counted; nil for a file that is not known.
    ///
    /// Figures of a file with another number of rows may not compare with published ones. Sources: the files themselves, and
    /// TensorFlow Datasets' counts of the same files (QQP's training rows include three that are incomplete).
    func publishedRows(task: String, file: String) -> Int? {
        switch self {
        case .glue: Self.glueRows[task]?[file]
        }
    }

    private static let glueRows = [
        "cola": ["train.tsv": 8_551, "dev.tsv": 1_043],
        "sst2": ["train.tsv": 67_349, "dev.tsv": 872],
        "mrpc": ["train.tsv": 3_668, "dev.tsv": 408],
        "stsb": ["train.tsv": 5_749, "dev.tsv": 1_500],
        "qqp": ["train.tsv": 363_849, "dev.tsv": 40_430],
        "mnli": ["train.tsv": 392_702, "dev_matched.tsv": 9_815, "dev_mismatched.tsv": 9_832],
        "qnli": ["train.tsv": 104_743, "dev.tsv": 5_463],
        "rte": ["train.tsv": 2_490, "dev.tsv": 277],
        "wnli": ["train.tsv": 635, "dev.tsv": 71],
    ]
}

extension TaskDefinition {
    /// The rows that the published file with this name has; nil for a task of the user's own and for a file that is not known.
    public func publishedRows(of file: String) -> Int? { suite?.publishedRows(task: name, file: file) }
}
