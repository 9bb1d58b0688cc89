package import Backbone
package import Failures
package import MPI
package import Tasks

/// The mapped files that a job reads throughout: the backbone's weights and the token cache. Writing to one of them changes
/// everything that is computed afterwards.
package struct MappedInputs: Sendable {
    private let model: any Backbone
    private let cache: TokenCache?

    /// The files of an opened model, and of the data if the command has any.
    package init(_ model: any Backbone, _ cache: TokenCache? = nil) {
        self.model = model
        self.cache = cache
    }

    /// Throws `badData` when a file has changed since it was opened, because then nothing computed since can be trusted.
    /// `consequence` completes the sentence. Every rank checks the files that it has mapped itself.
    package func check(_ consequence: @autoclosure () -> String) throws(Failure) {
        guard let (path, change) = changed else { return }
        throw Failure(.badData, "\(path) \(change) while it was in use, so \(consequence())")
    }

    /// Like `check`, for results that are written only after no rank has found a change; collective.
    package func check(on world: Communicator, _ consequence: @autoclosure () -> String) throws(Failure) {
        // A problem that all ranks have is reported once.
        try world.rankZeroFirst { () throws(Failure) in try check(consequence()) }
        // A rank whose check fails ends the job instead of coming here.
        if world.size > 1 { try world.barrier() }
    }

    private var changed: (path: String, what: String)? {
        if let change = model.fileChange { return change }
        // A job that began at the same time may have put an equal cache in the place of the one that this job has mapped.
        return cache.flatMap { cache in cache.change.map { (cache.path, $0) } }
    }

    /// The consequence when the command was to give figures.
    package static let noFigures = "the figures cannot be trusted and are not given; restore it and start again"
}
