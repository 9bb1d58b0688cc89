import Backbones
public import Configuration
public import Failures
public import MPI
import Runs
import Tasks
import Training

/// `prepare`: builds the token cache and prints the figures of the data.
public enum PrepareCommand {
    /// Builds or opens the cache of the configuration that `load` reads; collective. With `asJSON` standard output has only one
    /// JSON document.
    public static func run(
        _ load: () throws(Failure) -> RunConfiguration, out: String, asJSON: Bool, world: Communicator
    ) throws(Failure) -> Int32 {
        let (configuration, definitions, vocabulary, warning) = try world.rankZeroFirst { () throws(Failure) in
            let configuration = try load()
            let shape = try Backbones.shape(directory: configuration.model)
            let vocabulary = try RunModel.openVocabulary(configuration.model, shape)
            return (
                configuration, try configuration.definitions(), vocabulary, RunModel.warning(vocabulary, shape)
            )
        }
        let data = try RunData(
            configuration, definitions, run: RunDirectory(out), vocabulary: vocabulary, world: world)
        guard world.rank == 0 else { return 0 }
        let statistics = DataStatistics(data.cache.tasks, of: definitions, maxSource: configuration.maxSource)
        let reports = data.cache.tasks.map(\.report)
        let place = "token cache: \(data.cache.path)"
        let warnings =
            ([warning].compactMap(\.self) + DataReport.warnings(reports)).map { "warning: \($0)" }
            + DataReport.rowNotices(reports, of: definitions).map { "note: \($0)" }
        if asJSON {
            for line in [place] + warnings { Terminal.complain(line) }
            try Terminal.print(String(decoding: statistics.json(), as: UTF8.self))
        } else {
            let remarks = DataReport.remarks(reports, maxSource: configuration.maxSource)
            let parts = [place, DataTables(statistics).text, remarks.joined(separator: "\n")]
            try Terminal.print(parts.filter { !$0.isEmpty }.joined(separator: "\n\n"))
            for warning in warnings { Terminal.say(warning) }
        }
        return 0
    }
}
