public import Failures
import Glibc
import Tensors

/// The nine tasks of GLUE, from the directories and files of GLUE's own download.
///
/// Sources: gluebenchmark.com (files); HyperFormer (splits and text); T5 (words).
public enum GLUE {
    /// The names of all tasks.
    public static let names = ["cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"]

    /// The tasks with these names, in this order.
    ///
    /// - Parameters:
    ///   - directory: The download: holds `CoLA`, `SST-2` and so on.
    /// - Throws: `badConfiguration` for an unknown or repeated name, `inputMissing` when the directory does not exist.
    public static func tasks(
        _ names: [String] = names, directory: String, style: LabelStyle = .digits, splits rule: SplitRule = .paper
    ) throws(Failure) -> [TaskDefinition] {
        guard unsafe access(directory, F_OK) == 0 else {
            throw Failure(
                .inputMissing,
                "the GLUE directory \(directory.shown) does not exist; give the one that holds CoLA, SST-2 and the rest"
            )
        }
        if let name = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw Failure(.badConfiguration, "the task \"\(name.shown)\" is named twice; name each task once")
        }
        var tasks: [TaskDefinition] = []
        for name in names { tasks.append(try task(name, directory: directory, style: style, splits: rule)) }
        return tasks
    }

    /// One task.
    public static func task(
        _ name: String, directory: String, style: LabelStyle = .digits, splits rule: SplitRule = .paper
    ) throws(Failure) -> TaskDefinition {
        guard let layout = layout(of: name) else {
            throw Failure(
                .badConfiguration,
                "\"\(name.shown)\" is no GLUE task; choose from \(names.joined(separator: ", ")), "
                    + "or define it with its files")
        }
        return try layout.definition(
            name, of: .glue, format: .tsv(hasHeader: layout.columns == nil, columns: layout.columns), style: style,
            splits: splits(name, "\(directory)/\(layout.folder)", rule), leavesOutIncompleteRows: name == "qqp")
    }
}
