import Failures
import Foundation
import Synchronization
import Tensors

/// Whether a run directory still is this job's: asked by whoever is about to write there, on every rank.
///
/// A job loses its directory when its lease was not renewed for so long that another job took it over, as when all of it
/// was stopped, or when somebody removed the lease and started another. Then it must write nothing more.
package final class RunOwner: Sendable {
    private struct Claim {
        var directory: String
        var lease: String
        var id: String
        /// Whether this rank has seen the lease of its job there: its node may have another directory of that name.
        var isSeen: Bool
    }

    /// How the lease stands.
    package enum Standing {
        case ours
        case absent
        case unknown
        case lost(Failure)
    }

    private let claim = Mutex<Claim?>(nil)
    private let loss = Mutex<Failure?>(nil)
    private let isTold = Atomic<Bool>(false)
    /// Nanoseconds; when the lease was last seen to be ours.
    private let seen = Atomic<Int64>(0)

    /// So long a look at the lease counts, in nanoseconds. Others wait much longer before they take it over, so this
    /// bounds only what is written after somebody removed it.
    private static let validity: Int64 = 200_000_000

    /// From here on the directory is that of the job whose lease has this id. `isSeen`: this rank has placed it, and need not
    /// see it first.
    package func claims(_ directory: String, lease: String, id: String, isSeen: Bool = true) {
        claim.withLock { $0 = Claim(directory: directory, lease: lease, id: id, isSeen: isSeen) }
    }

    /// Throws `cannotWrite` where the directory has become another job's.
    package func check() throws(Failure) {
        let now = Self.now
        guard now - seen.load(ordering: .relaxed) > Self.validity else { return }
        try checkNow()
        seen.store(now, ordering: .relaxed)
    }

    /// As `check`, by a look of this moment: for what is written seldom, and where something has just failed.
    package func checkNow() throws(Failure) {
        if case .lost(let failure) = standing() {
            isTold.store(true, ordering: .relaxed)
            throw failure
        }
    }

    /// Whether somebody was told by `check` that the directory is lost, and so ends the job.
    var hasTold: Bool { isTold.load(ordering: .relaxed) }

    /// Looks at the lease.
    func standing() -> Standing {
        guard let claim = claim.withLock({ $0 }) else { return .ours }
        if let loss = loss.withLock({ $0 }) { return .lost(loss) }
        switch LeaseFile.look(at: claim.lease) {
        case .absent: return .absent
        case .unreadable: return .unknown
        case .present(let content):
            // Whoever places one without links is just writing it.
            guard let holder = content.holder else { return .unknown }
            guard holder.id != claim.id else {
                self.claim.withLock { $0?.isSeen = true }
                return .ours
            }
            guard claim.isSeen else { return .unknown }
            let failure = Failure(
                .cannotWrite,
                "the run directory \(claim.directory) has been taken over by \(holder.description), since this job gave no sign "
                    + "of life or its \(claim.lease) was removed; this job writes nothing more and ends: let the other one "
                    + "go on, or stop it and start again")
            return .lost(
                loss.withLock { loss in
                    loss = loss ?? failure
                    return loss ?? failure
                })
        }
    }

    /// Nanoseconds of a clock that goes on while this process, or the whole machine, is suspended.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
