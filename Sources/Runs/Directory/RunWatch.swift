import Foundation
import Tensors

/// Tells whether a job holds a run directory, without waiting for it and without taking it.
///
/// A lock shows that at once, and so does the lease of a process of this machine. A lease of another machine must be observed
/// (`LeaseWatch`): until it was not renewed for `RunLease.Timing.stale` seconds, its holder counts as alive. So `isHeld` must be
/// asked at least every second; `held` does that.
package struct RunWatch {
    private let run: RunDirectory
    private var watch: LeaseWatch

    /// A watch for which a lease without a sign of life for `limit` seconds counts as abandoned.
    package init(_ run: RunDirectory, limit: Double = RunLease.Timing().stale) {
        self.run = run
        watch = LeaseWatch(limit: limit)
    }

    /// Whether a job holds the directory now, as far as this process can tell.
    package mutating func isHeld() -> Bool { look() != .free }

    /// Which of these directories jobs hold, in their order, for a process that decides it once.
    ///
    /// A lease of another machine is observed until it is renewed, or until it counts as abandoned after `limit` seconds; so
    /// this takes as long as that if a job on another machine has left a lease behind, and a few seconds if one lives. When
    /// a signal asks the program to end, it takes those for held that it is still observing.
    package static func held(_ runs: [RunDirectory], limit: Double = RunLease.Timing().stale) -> [Bool] {
        var watches = runs.map { RunWatch($0, limit: limit) }
        var looks = watches.indices.map { watches[$0].look() }
        let begun = ContinuousClock.now
        var hasSaid = false
        while looks.contains(.perhaps), StopSignals.ending == nil {
            if !hasSaid, begun.duration(to: .now) > .seconds(1) {
                hasSaid = true
                let count = looks.count { $0 == .perhaps }
                Terminal.say(
                    "looking whether \(count) run(s) go on on other machines: up to \(Int(limit)) s for a sign of life")
            }
            usleep(100_000)
            for index in looks.indices where looks[index] == .perhaps { looks[index] = watches[index].look() }
        }
        return looks.map { $0 != .free }
    }

    /// The result of a look.
    private enum Look {
        case held
        case free
        /// There is a lease of another machine, which may or may not be renewed.
        case perhaps
    }

    private mutating func look() -> Look {
        if isLocked { return .held }
        // What cannot be read is left to the job that wants the directory, which says why.
        guard let content = try? RunLease.content(of: RunLock.leasePath(of: run.lock)) else { return .free }
        let isStale = watch.look(content, at: Double(RunOwner.now) * 1e-9)
        return switch content.holder?.presence(from: LeaseHolder.ofThisProcess()) ?? .unknown {
        case .there: .held
        case .gone: .free
        case .unknown: isStale ? .free : watch.hasChanged ? .held : .perhaps
        }
    }

    /// Whether another process has the lock. A job that wants it at this moment tries again within its patience.
    private var isLocked: Bool {
        let descriptor = unsafe open(run.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
