/// What became of a run, as far as its files and processes say.
package enum RunCondition: Equatable, Sendable {
    /// It has made all of its steps.
    case finished
    /// A job is training it.
    case running
    /// It left before its last step, and the same command continues it.
    case stopped
    /// It ended with an error, in one sentence.
    case failed(String)
    /// Its processes ended without saying why.
    case killed
    /// It has no `STATUS.json` that can be read.
    case unknown

    /// Reads the status, and looks whether a job holds the directory. A job on another machine may have ended without a trace less
    /// than half a minute ago.
    package init(_ run: RunDirectory) {
        guard let status = RunStatus.read(run) else {
            self = .unknown
            return
        }
        switch status.state {
        case .finished: self = .finished
        case .preempted: self = .stopped
        case .failed: self = .failed(status.reason)
        case .running:
            var watch = RunWatch(run)
            self = watch.isHeld() ? .running : .killed
        }
    }

    /// The condition in a word; nil for a finished run, and for one of which nothing is known.
    package var word: String? {
        switch self {
        case .finished, .unknown: nil
        case .running: "running"
        case .stopped: "stopped"
        case .failed: "failed"
        case .killed: "killed"
        }
    }
}
