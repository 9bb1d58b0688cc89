import Configuration
import Failures
import MPI
import Runs
import Tasks
import Text
import Training

/// What opening the data takes at the start of a run.
struct DataStart {
    let cost: RunPace.Cost
    /// Whether the token cache is there already.
    let hasCache: Bool

    /// Opens the token cache of a run directory if it is there, as the run will, and otherwise estimates how long making it takes
    /// on the cores of this process.
    init(_ configuration: RunConfiguration, _ data: PlannedData, run: RunDirectory) throws(Failure) {
        let cores = AvailableCores.ofThisProcess().count
        let watch = Watch()
        let key = try TokenCache.key(
            tasks: data.tasks.map(\.definition), vocabulary: data.vocabulary, options: configuration.cacheOptions,
            threads: cores)
        let path = TokenCache.path(in: configuration.cachePath(of: run), key: key)
        if let cache = try? TokenCache(path: path, expecting: key, end: data.vocabulary.endID) {
            _ = DataStatistics(cache.tasks, of: data.tasks.map(\.definition), maxSource: configuration.maxSource)
            (cost, hasCache) = (watch.cost, true)
        } else {
            let work = data.seconds.reading + data.seconds.tokenising
            cost = watch.cost + RunPace.Cost(seconds: work / Double(cores), processorSeconds: work)
            hasCache = false
        }
    }
}
