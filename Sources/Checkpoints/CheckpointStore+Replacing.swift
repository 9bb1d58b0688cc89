import Failures
import Glibc
import Tensors

/// Not every file system can replace a directory by a single rename (network file systems do not offer the exchange of two
/// directories), so the old one is renamed to `.step-N.previous` first. Readers look there when `step-N` is absent.
extension CheckpointStore {
    private static let previousSuffix = ".previous"

    /// The path of the old checkpoint of a step while a new one takes its place.
    func previousPath(step: Int) -> String { "\(directory)/.\(Self.name(step: step))\(Self.previousSuffix)" }

    /// The step for a name that `previousPath` gives; nil for other names.
    static func previousStep(name: String) -> Int? {
        guard name.hasPrefix("."), name.hasSuffix(previousSuffix) else { return nil }
        return step(name: String(name.dropFirst().dropLast(previousSuffix.count)))
    }

    /// Gives a complete temporary directory its final name; the caller must hold the lock.
    func show(_ temporary: String, as manifest: Manifest) throws(Failure) {
        let target = path(step: manifest.step)
        // Without working locks another process may save the same step now, so this looks again when the name is taken.
        for _ in 0..<8 {
            if unsafe rename(temporary, target) == 0 {
                try DurableFile.synchronize(directory: directory)
                try removeTree(previousPath(step: manifest.step))
                return
            }
            if errno == ENOTDIR {
                // Somebody has placed a file or link there.
                try putAside(Self.name(step: manifest.step))
                continue
            }
            guard errno == ENOTEMPTY || errno == EEXIST else {
                throw writeFailure("rename \(temporary.shown) to", target)
            }
            if let present = try? Checkpoint(path: target), present.manifest == manifest {
                return try removeTree(temporary)
            }
            try moveAway(step: manifest.step)
        }
        throw Failure(
            .cannotWrite, "\(target.shown) is replaced by other processes all the time; end the other runs that use it")
    }

    private func moveAway(step: Int) throws(Failure) {
        let previous = previousPath(step: step)
        guard unsafe rename(path(step: step), previous) != 0 else {
            return try DurableFile.synchronize(directory: directory)
        }
        switch errno {
        case ENOENT: return  // Another process has moved it.
        case ENOTEMPTY, EEXIST: try settleReplacement(of: step)
        default: throw writeFailure("rename \(path(step: step).shown) to", previous)
        }
    }

    /// Completes a replacement that stopped between its renames: one directory of the step remains, an intact one if there is
    /// one.
    func settleReplacement(of step: Int) throws(Failure) {
        let shown = path(step: step)
        let previous = previousPath(step: step)
        guard fileType(previous) != nil else { return }
        if (try? Checkpoint(path: shown)) == nil, (try? Checkpoint(path: previous)) != nil {
            if fileType(shown) != nil {
                let damaged = temporaryPath("damaged-\(Self.name(step: step))")
                try DurableFile.rename(shown, to: damaged)
                try DurableFile.rename(previous, to: shown)
                try removeTree(damaged)
            } else {
                try DurableFile.rename(previous, to: shown)
            }
        } else if fileType(shown) != nil {
            try removeTree(previous)
        }
    }
}
