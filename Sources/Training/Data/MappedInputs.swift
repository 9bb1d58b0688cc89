import Backbone
import Failures
import MPI
import Tasks

/// The files that a job reads all the time where they are: the backbone's weights and the token cache. Whoever writes to one
/// of them changes what is computed from then on.
package struct MappedInputs: Sendable {
    private let model: any Backbone
    private let cache: TokenCache?

    /// Those of an opened model, and of the data where the command has any.
    package init(_ model: any Backbone, _ cache: TokenCache? = nil) {
        self.model = model
        self.cache = cache
    }

    /// Throws `badData` when a file has changed since it was opened: then nothing is known of what was computed since.
    /// `consequence` follows in the sentence. Every rank answers for the files that it has mapped itself.
    package func check(_ consequence: @autoclosure () -> String) throws(Failure) {
        guard let (path, change) = changed else { return }
        throw Failure(.badData, "\(path) \(change) while it was in use, so \(consequence())")
    }

    /// As `check`, for what is written once no rank has found anything; collective.
    package func check(on world: Communicator, _ consequence: @autoclosure () -> String) throws(Failure) {
        // What is wrong for all is said once.
        try world.rankZeroFirst { () throws(Failure) in try check(consequence()) }
        // A rank that does not come here ends the job.
        if world.size > 1 { try world.barrier() }
    }

    private var changed: (path: String, what: String)? {
        if let change = model.fileChange { return change }
        // A job that began at the same time may put an equal cache into the place of the one that this job has mapped.
        return cache.flatMap { cache in cache.change.map { (cache.path, $0) } }
    }

    /// What follows where figures were asked for.
    package static let noFigures = "the figures cannot be trusted and are not given; restore it and start again"
}
