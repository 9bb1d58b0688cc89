/// A published benchmark whose own files a task reads.
public enum TaskSuite: String, Sendable, Codable, CaseIterable {
    /// gluebenchmark.com.
    case glue = "GLUE"
    /// super.gluebenchmark.com.
    case superglue = "SuperGLUE"

    /// The rows of the published file, a header not counted; nil for a file that is not known.
    ///
    /// Figures of a file with another number of rows may not compare with published ones. Sources: the files themselves, and
    /// TensorFlow Datasets' counts of the same files (QQP's training rows include three that are incomplete).
    func publishedRows(task: String, file: String) -> Int? {
        publishedFiles(task: task).first { $0.key == file }?.value
    }

    /// The files of a task with their rows; none for a task that is not known.
    func publishedFiles(task: String) -> KeyValuePairs<String, Int> {
        switch self {
        case .glue: Self.glueRows[task] ?? [:]
        case .superglue: Self.superglueRows[task] ?? [:]
        }
    }

    private static let glueRows: [String: KeyValuePairs<String, Int>] = [
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

    /// MultiRC's rows are answers.
    private static let superglueRows: [String: KeyValuePairs<String, Int>] = [
        "boolq": ["train.jsonl": 9_427, "val.jsonl": 3_270],
        "cb": ["train.jsonl": 250, "val.jsonl": 56],
        "copa": ["train.jsonl": 400, "val.jsonl": 100],
        "multirc": ["train.jsonl": 27_243, "val.jsonl": 4_848],
        "superglue_rte": ["train.jsonl": 2_490, "val.jsonl": 277],
        "wic": ["train.jsonl": 5_428, "val.jsonl": 638],
        "wsc": ["train.jsonl": 554, "val.jsonl": 104],
    ]
}

extension TaskDefinition {
    /// The rows that the published file with this name has; nil for a task of the user's own and for a file that is not known.
    public func publishedRows(of file: String) -> Int? { suite?.publishedRows(task: name, file: file) }

    /// The files of a benchmark's task as they are published, with their rows; none for a task of the user's own.
    public var publishedFiles: [(file: String, rows: Int)] {
        (suite?.publishedFiles(task: name) ?? [:]).map { (file: $0.key, rows: $0.value) }
    }
}
