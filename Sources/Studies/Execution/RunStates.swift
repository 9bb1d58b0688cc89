import Configuration
import Foundation
package import Runs

/// What the files of a study say about its runs.
package struct RunStates {
    /// What is known about a run.
    package enum State: Equatable {
        case finished
        /// Why it failed.
        case failed(String)
        /// It has begun or is finished, but with something else than the study says; in one sentence.
        case other(String)
        /// It cannot begin, since the run with whose adapter it begins gives none; in one sentence.
        case unreachable(String)
        /// The run with whose adapter it begins is not finished.
        case waiting
        /// It has not begun, was stopped, or goes on.
        case open

        /// Why there is no result, in one sentence; nil for a run that is finished or may still become so.
        package var reason: String? {
            switch self {
            case .failed(let reason), .other(let reason), .unreachable(let reason): reason
            case .finished, .waiting, .open: nil
            }
        }
    }

    private let directory: StudyDirectory
    private let runs: [String: StudyRun]
    private let adapter: (RunDirectory) -> String?
    private let change: (StudyRun, RunState.Identity) -> String?

    /// - Parameters:
    ///   - adapter: the digest of the adapter in a run directory with which a new run would begin now; nil for none.
    ///   - change: the first change of the model's or the tasks' files since a run of the study was made, as a part of a
    ///     sentence; nil for none. It gets the identity of the run's training.
    package init(
        _ study: Study, in directory: StudyDirectory, adapter: @escaping (RunDirectory) -> String?,
        change: @escaping (StudyRun, RunState.Identity) -> String?
    ) {
        self.directory = directory
        self.adapter = adapter
        self.change = change
        runs = Dictionary(study.runs.map { ($0.name, $0) }) { first, _ in first }
    }

    /// What the files say about a run.
    package func state(_ run: StudyRun) -> State {
        let files = directory.run(run)
        if let origin = run.origin.flatMap({ runs[$0] }) {
            if let state = state(run, behind: origin) { return state }
            // A run that has begun keeps its adapter, so another one would be its origin in silence.
            if let begun = RunState.last(of: files)?.identity.origin, let now = adapter(directory.run(origin)),
                begun != now
            {
                return .other(
                    "\(files.path) began with another adapter than \(origin.name) has now, as when that run was made again; use "
                        + "another --out, or remove it")
            }
        }
        if RunStatus.read(files)?.state == .finished {
            if let difference = difference(run) {
                return .other(
                    "\(files.path) was made with another configuration (\(difference)); use another --out, or remove it"
                )
            }
            if let made = RunState.last(of: files)?.identity, let change = change(run, made) {
                return .other(
                    "\(files.path) was made from other files than there are now (\(change)); put them back, use another --out, "
                        + "or remove it")
            }
            return .finished
        }
        guard let text = FileManager.default.contents(atPath: directory.failure(run)) else { return .open }
        return .failed(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The names of runs that are not finished and whose directories other jobs hold; for a process that trains none any more.
    /// It waits for signs of life from other machines (`RunWatch.held`).
    package func elsewhere() -> Set<String> {
        let open = runs.values.filter { state($0).reason == nil && state($0) != .finished }
        let held = RunWatch.held(open.map { directory.run($0) })
        return Set(zip(open, held).filter(\.1).map(\.0.name))
    }

    /// The state of a run that its origin decides; nil when the origin is finished.
    private func state(_ run: StudyRun, behind origin: StudyRun) -> State? {
        let start = "it begins with the adapter of \(origin.name)"
        switch state(origin) {
        case .finished: return nil
        case .waiting, .open: return .waiting
        case .failed(let reason): return .unreachable("\(start), which has failed: \(reason)")
        case .other(let reason): return .unreachable("\(start), which is not used: \(reason)")
        case .unreachable(let reason): return .unreachable("\(start), which cannot begin: \(reason)")
        }
    }

    /// The first difference of a run's configuration from the study's, as a part of a sentence; nil for none.
    private func difference(_ run: StudyRun) -> String? {
        guard let made = try? RunConfiguration.load(file: directory.run(run).configuration) else {
            return "its config.yaml cannot be read"
        }
        let differences = RunConfiguration.differences(from: made.recordText, to: run.configuration.recordText)
        if let first = differences.first { return first }
        // Directories may move, but another name is another model, and another run of the study is another origin.
        func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }
        if name(made.model) != name(run.configuration.model) {
            return "model was \(made.model) and is \(run.configuration.model)"
        }
        let (before, now) = (made.origin ?? "null", run.configuration.origin ?? "null")
        let isSame = run.origin.map { before.hasSuffix("/\($0)") } ?? (name(before) == name(now))
        return isSame ? nil : "\(StudyFile.originKey) was \(before) and is \(now)"
    }
}
