import Configuration
import Failures
import MPI
import T5
import Tasks
import Text

/// `prepare`: builds the token cache and says what is in it.
public enum PrepareRun {
    /// Builds or opens the cache of the configuration that `load` reads; collective.
    public static func run(
        _ load: () throws(Failure) -> RunConfiguration, out: String, world: Communicator
    ) throws(Failure) -> Int32 {
        let (configuration, definitions, vocabulary) = try world.rankZeroFirst { () throws(Failure) in
            let configuration = try load()
            let shape = try T5Configuration(path: configuration.model + "/config.json")
            let vocabulary = try RunModel.openVocabulary(configuration.model, shape)
            return (configuration, try configuration.definitions(), vocabulary)
        }
        let data = try RunData(
            configuration, definitions, run: RunDirectory(out), vocabulary: vocabulary, world: world)
        guard world.rank == 0 else { return 0 }
        try Terminal.print((["token cache: \(data.cache.path)"] + DataReport.lines(data)).joined(separator: "\n"))
        return 0
    }
}

/// What reading found, for people.
enum DataReport {
    /// One line per task and split, with what was skipped, truncated or doubled.
    static func lines(_ data: RunData) -> [String] {
        data.cache.tasks.flatMap { task -> [String] in
            let skipped = task.report.skippedRows
            let head =
                "\(task.name): longest answer \(task.longestTarget) tokens"
                + (skipped > 0 ? ", \(skipped) rows skipped" : "")
                + (task.report.droppedDuplicates > 0 ? ", \(task.report.droppedDuplicates) duplicates dropped" : "")
            return [head]
                + task.report.splits.map { split in
                    let equal = split.equalText.filter { $0.examples > 0 }.map {
                        ", \($0.examples) with a text of \($0.with)"
                    }.joined()
                    let label = split.label.map { " (\($0))" } ?? ""
                    return
                        "  \(split.name)\(label): \(split.examples) examples, \(split.truncatedSources) truncated\(equal)"
                }
        }
    }
}
