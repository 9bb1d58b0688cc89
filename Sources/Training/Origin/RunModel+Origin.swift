import Checkpoints
import Configuration
package import Failures
import MPI
package import Runs
package import Tensors

/// What a new run begins with; rank 0 has the adapter, all ranks the digest.
package struct RunOrigin {
    /// Nil on other ranks, and where the adapter cannot be read any more but the run has begun from it before.
    let adapter: Origin?
    package let digest: String
    /// Why the adapter cannot be read.
    let trouble: Failure?
}

extension RunModel {
    /// Opens the adapter that `init.from` names; nil without that key. Collective.
    ///
    /// A run that has checkpoints does not need the adapter any more: if it cannot be read, its digest is that of the newest
    /// checkpoint.
    package func openOrigin(of run: RunDirectory) throws(Failure) -> RunOrigin? {
        guard let directory = configuration.origin else { return nil }
        var (adapter, digest, trouble): (Origin?, String?, Failure?) = (nil, nil, nil)
        if world.rank == 0 {
            do throws(Failure) {
                let opened = try Origin(directory: directory)
                (adapter, digest) = (opened, opened.digest.hexadecimal)
            } catch {
                trouble = error
                let newest = try CheckpointStore(runDirectory: run.path).newestIntact().0
                digest = try newest.flatMap { checkpoint throws(Failure) in
                    try RunState(checkpoint.state(), path: checkpoint.path).identity.origin
                }
                if digest == nil { throw error }
            }
        }
        let shared = try world.share(digest, "the digest of the origin") ?? ""
        return RunOrigin(adapter: adapter, digest: shared, trouble: trouble)
    }

    /// Writes the origin's weights over the seeded start on rank 0. Returns sentences for the user.
    package func begin(_ weights: Arena, from origin: RunOrigin) throws(Failure) -> [String] {
        guard world.rank == 0, let from = origin.adapter else { return [] }
        let start = WarmStart(origin: from, method: method, adapter: adapter, newTask: configuration.newTask)
        let added = try start.apply(to: weights, backbone: backbone)
        let tasks =
            added.isEmpty
            ? []
            : [
                "new tasks \(added.joined(separator: ", ")) begin "
                    + (configuration.newTask == .mean ? "at the mean of the origin's tasks" : "at random")
            ]
        return ["begins with the adapter in \(from.path), digest \(origin.digest)"] + tasks
    }
}

extension RunOrigin {
    /// Refuses a fresh start without the adapter.
    package func refuseStartWithout() throws(Failure) {
        if let trouble { throw trouble }
    }
}
