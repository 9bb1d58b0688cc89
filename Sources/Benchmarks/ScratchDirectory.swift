import Failures
import Foundation
import MPI
import Tensors

/// A directory for files of a benchmark; it is removed together with this value.
final class ScratchDirectory: Sendable {
    let path: String
    private let isOwner: Bool

    /// Makes a directory below the system's directory for temporary files; with `world` all ranks of a node share it.
    /// Collective.
    init(sharedBy world: Communicator? = nil) throws(Failure) {
        isOwner = (world?.rank ?? 0) == 0
        var made = ""
        if isOwner {
            var template = Array((NSTemporaryDirectory() + "/unolora-bench-XXXXXX").utf8CString)
            guard unsafe mkdtemp(&template) != nil else {
                throw Failure(
                    .cannotWrite,
                    "no directory can be made in \(NSTemporaryDirectory()) (\(systemMessage(errno))); set TMPDIR")
            }
            made = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        guard let world else {
            path = made
            return
        }
        path = String(decoding: try world.broadcast(Array(made.utf8), from: 0), as: UTF8.self)
    }

    deinit {
        if isOwner { try? FileManager.default.removeItem(atPath: path) }
    }
}
