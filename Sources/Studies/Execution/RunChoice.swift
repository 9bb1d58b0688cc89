import Foundation
import Runs
import Tensors

/// Chooses which run a process of a study starts next, when others may be at work in the same directory.
struct RunChoice {
    /// What the process can do.
    enum Next: Equatable {
        case start(StudyRun)
        /// Runs of this process begin with the adapter of this run, which another process trains.
        case wait(for: StudyRun)
        /// Runs of other processes are left to them for now.
        case pause
        /// Other jobs hold these runs, and nothing else is left.
        case held([StudyRun])
        /// All runs have ended, or this process trains what is left.
        case nothing
    }

    private let directory: StudyDirectory
    private let states: RunStates
    private let all: [StudyRun]
    /// The runs that have not ended for this process: its own ones come first, then those with whose adapters they begin, then
    /// those of other processes.
    private var candidates: [StudyRun]
    /// The names of its own runs.
    private let own: Set<String>
    /// The names of runs without which its own ones cannot begin.
    private let needed: Set<String>
    /// From when on it starts runs of other processes, which may be about to start them themselves.
    private let helpsFrom: ContinuousClock.Instant
    private var watches: [String: RunWatch] = [:]
    /// The files that say why runs failed before this process began. Such a run is tried again, but not one that fails meanwhile.
    private let failures: [String: FileIdentity]

    /// - Parameters:
    ///   - own: the runs of this process.
    ///   - all: those of the study.
    ///   - delay: how long the runs of other processes are left to them at first.
    init(
        _ own: [StudyRun], of all: [StudyRun], states: RunStates, in directory: StudyDirectory,
        delay: Duration = .seconds(5)
    ) {
        self.directory = directory
        self.states = states
        self.all = all
        self.own = Set(own.map(\.name))
        helpsFrom = .now + delay
        var needed: [StudyRun] = []
        var names = own.compactMap(\.origin)
        while let name = names.popLast() {
            guard !self.own.contains(name), !needed.contains(where: { $0.name == name }),
                let run = all.first(where: { $0.name == name })
            else { continue }
            needed.append(run)
            names += [run.origin].compactMap(\.self)
        }
        failures = (own + needed).reduce(into: [:]) { failures, run in
            failures[run.name] = FileIdentity(status: directory.failure(run))
        }
        self.needed = Set(needed.map(\.name))
        let mine = self.own.union(self.needed)
        // The others come to their last runs last.
        candidates = own + needed + all.filter { !mine.contains($0.name) }.reversed()
    }

    /// Leaves the runs of other processes to them, as when this machine cannot run them.
    mutating func keepToOwn() {
        candidates = candidates.filter { own.contains($0.name) || needed.contains($0.name) }
    }

    /// Whether a run belongs to this process.
    func isOwn(_ run: StudyRun) -> Bool { own.contains(run.name) }

    /// Takes out a run that has ended.
    mutating func settle(_ run: StudyRun) { candidates.removeAll { $0.name == run.name } }

    /// The next run to start, while this process trains `running`. Runs that have ended are taken out and given to `ended`.
    mutating func next(running: Set<String>, ended: (StudyRun, RunStates.State) -> Void) -> Next {
        var (held, blocked): ([StudyRun], [StudyRun]) = ([], [])
        var (hasSettled, isEarly) = (false, false)
        for run in candidates where !running.contains(run.name) {
            guard !candidates.contains(where: { $0.name == run.origin }) else {
                blocked.append(run)
                continue
            }
            let state = states.state(run)
            switch state {
            case .open, .waiting: break
            case .failed where failures[run.name] != nil && failures[run.name] == failure(of: run): break
            case .finished, .failed, .other, .unreachable:
                settle(run)
                ended(run, state)
                hasSettled = true
                continue
            }
            if isHeld(run) {
                held.append(run)
            } else if !own.contains(run.name), helpsFrom > .now {
                isEarly = true
            } else if state != .waiting {
                return .start(run)
            } else if let origin = all.first(where: { $0.name == run.origin }) {
                // Somebody has removed the finished run with whose adapter this one begins.
                candidates.append(origin)
                hasSettled = true
            }
        }
        // A run that has ended may have been what others waited for.
        if hasSettled { return next(running: running, ended: ended) }
        // For runs of other processes it is enough that whoever has made their origin goes on with them.
        let waiting = blocked.filter { own.contains($0.name) || needed.contains($0.name) }
        let awaited = held.first { run in waiting.contains { $0.origin == run.name } }
        if let awaited { return .wait(for: awaited) }
        if isEarly { return .pause }
        return held.isEmpty ? .nothing : .held(held)
    }

    /// Whether another job holds a run's directory.
    private mutating func isHeld(_ run: StudyRun) -> Bool {
        let files = directory.run(run)
        return watches[run.name, default: RunWatch(files)].isHeld()
    }

    private func failure(of run: StudyRun) -> FileIdentity? { FileIdentity(status: directory.failure(run)) }
}
