package import Failures
import Foundation
import Synchronization

/// Whether the job still holds its run directory. All code that is about to write there asks this, on every rank.
///
/// A job loses its directory when its lease was not renewed for so long that another job took it over (for example because the
/// whole job was stopped), or when somebody removed the lease and started another job. Then it must write nothing more.
package final class RunOwner: Sendable {
    private struct Claim {
        var directory: String
        var lease: String
        var id: String
        /// Whether this rank has seen its job's lease there: on this node, the path may be another directory.
        var isSeen: Bool
    }

    /// The state of the lease.
    package enum Standing {
        case ours
        case absent
        case unknown
        case lost(Failure)
    }

    private let claim = Mutex<Claim?>(nil)
    private let loss = Mutex<Failure?>(nil)
    private let isTold = Atomic<Bool>(false)
    /// When the lease was last seen to be ours, in nanoseconds.
    private let seen = Atomic<Int64>(0)

    /// How long the result of a look at the lease is used, in nanoseconds. Other jobs wait much longer before they take the
    /// lease over, so this only limits what is written after somebody removed it.
    private static let validity: Int64 = 200_000_000

    /// From now on the directory belongs to the job whose lease has this id. `isSeen` means that this rank created the lease
    /// and does not have to see it first.
    package func claims(_ directory: String, lease: String, id: String, isSeen: Bool = true) {
        claim.withLock { $0 = Claim(directory: directory, lease: lease, id: id, isSeen: isSeen) }
    }

    /// Throws `cannotWrite` when the directory belongs to another job now.
    package func check() throws(Failure) {
        let now = Self.now
        guard now - seen.load(ordering: .relaxed) > Self.validity else { return }
        try checkNow()
        seen.store(now, ordering: .relaxed)
    }

    /// Like `check`, but always looks at the lease: for rare writes, and when something has just failed.
    package func checkNow() throws(Failure) {
        if case .lost(let failure) = standing() {
            isTold.store(true, ordering: .relaxed)
            throw failure
        }
    }

    /// Whether `check` has told some caller that the directory is lost; that caller ends the job.
    var hasTold: Bool { isTold.load(ordering: .relaxed) }

    /// Looks at the lease.
    func standing() -> Standing {
        guard let claim = claim.withLock({ $0 }) else { return .ours }
        if let loss = loss.withLock({ $0 }) { return .lost(loss) }
        switch LeaseFile.look(at: claim.lease) {
        case .absent: return .absent
        case .unreadable: return .unknown
        case .present(let content):
            // A job that creates a lease without links is just writing it.
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

    /// Nanoseconds of a clock that continues while this process, or the whole machine, is suspended.
    static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
