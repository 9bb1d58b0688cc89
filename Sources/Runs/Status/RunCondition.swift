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

    /// The condition of a run with this status; `isHeld` says whether a job holds its directory.
    package init(_ status: RunStatus?, isHeld: Bool) {
        guard let status else {
            self = .unknown
            return
        }
        self =
            switch status.state {
            case .finished: .finished
            case .preempted: .stopped
            case .failed: .failed(status.reason)
            case .running: isHeld ? .running : .killed
            }
    }

    /// The conditions of runs, in their order. Where a job on another machine seems to train one, this waits for a sign of life
    /// (`RunWatch.held`).
    package static func conditions(_ runs: [RunDirectory]) -> [RunCondition] {
        let states = runs.map(RunStatus.read)
        let open = runs.indices.filter { states[$0]?.state == .running }
        let held = Set(zip(open, RunWatch.held(open.map { runs[$0] })).filter(\.1).map(\.0))
        return runs.indices.map { RunCondition(states[$0], isHeld: held.contains($0)) }
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
