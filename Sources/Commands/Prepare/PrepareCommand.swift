import Backbones
public import Configuration
public import Failures
public import MPI
import Runs
import Tasks
import Training

/// `prepare`: builds the token cache and reports its content.
public enum PrepareCommand {
    /// Builds or opens the cache of the configuration that `load` reads; collective.
    public static func run(
        _ load: () throws(Failure) -> RunConfiguration, out: String, world: Communicator
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
        try Terminal.print((["token cache: \(data.cache.path)"] + DataReport.lines(data)).joined(separator: "\n"))
        let reports = data.cache.tasks.map(\.report)
        for warning in [warning].compactMap(\.self) + DataReport.warnings(reports) {
            Terminal.say("warning: \(warning)")
        }
        return 0
    }
}
