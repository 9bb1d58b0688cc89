import Checkpoints
package import Configuration
package import Failures
import Foundation
import Tensors

/// A run overwrites files with certain names; none of these may be a file of the user's own.
extension RunDirectory {
    /// Whether a run has begun here: it leaves a status or a lock. A copy of a run may contain only its checkpoints.
    private var holdsRun: Bool {
        [status, lock].contains { FileManager.default.fileExists(atPath: $0) }
            || (try? CheckpointStore(runDirectory: path).steps().isEmpty) == false
    }

    /// Refuses a directory in which no run has begun but a file has the name of one that a run writes.
    func refuseForeignFiles() throws(Failure) {
        let overwritten = [configuration, metrics, data]
        guard let file = overwritten.first(where: { FileManager.default.fileExists(atPath: $0) }), !holdsRun else {
            return
        }
        throw Failure(
            .cannotWrite,
            "\(file) belongs to no run, as \(path) holds neither a STATUS.json nor a checkpoint, and a run would overwrite it; "
                + "choose another --out")
    }

    /// Refuses a part of the directory that is another user's link: it could lead what the run writes and removes anywhere. The
    /// user's own links to directories, perhaps on a larger disk, are followed; links to files never are.
    func refuseForeignLinks() throws(Failure) {
        for part in Part.allCases { try refuseForeignLink(path(of: part)) }
    }

    /// Refuses, before anything is written, a directory that contains something that a run must not overwrite or follow.
    package func refuseForeign() throws(Failure) {
        try refuseForeignFiles()
        try refuseForeignLinks()
    }

    /// Refuses to start a new run with this directory's own `config.yaml` as its configuration, unless the resolved
    /// configuration that replaces it says the same.
    package func refuseToReplace(configuration source: String?, by resolved: RunConfiguration) throws(Failure) {
        guard let source, Self.isSame(source, configuration),
            !resolved.isSaid(by: FileManager.default.contents(atPath: configuration), in: path)
        else { return }
        throw Failure(
            .cannotWrite,
            "\(source) is the configuration of this start, and the run would overwrite it with every key as it was used; "
                + "choose another --out")
    }

    private static func isSame(_ first: String, _ second: String) -> Bool {
        var (a, b) = (stat(), stat())
        return unsafe stat(first, &a) == 0 && stat(second, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino
    }
}
