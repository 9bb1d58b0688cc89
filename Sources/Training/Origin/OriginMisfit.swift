package import Adapters
package import Failures

/// Why a run cannot begin with the adapter of another one, as far as their configurations tell.
package enum OriginMisfit: Equatable {
    /// The origin has this other method.
    case method(String)
    /// The origin's adapter means something else, for the first time in this key.
    case option(String)
    case vocabulary
    /// A task of both has other answers, or others in this order.
    case answers(task: String)

    /// The first misfit of the adapter `origin`, whose file is complete, with that of a `run`; nil for none. The tasks need not be
    /// the same.
    package static func between(
        _ origin: AdapterConfiguration, and run: AdapterConfiguration
    ) throws(Failure) -> OriginMisfit? {
        guard origin.method == run.method else { return .method(origin.method) }
        var comparable = origin
        (comparable.tasks, comparable.taskNames, comparable.labels) = (run.tasks, run.taskNames, run.labels)
        if let key = try comparable.firstDifference(from: run) { return .option(key) }
        if let there = origin.vocabulary, let here = run.vocabulary, there != here { return .vocabulary }
        let changed = run.taskNames?.first { name in
            origin.labels?[name].map { $0 != run.labels?[name] } ?? false
        }
        return changed.map { .answers(task: $0) }
    }
}
