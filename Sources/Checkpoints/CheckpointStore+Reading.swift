public import Failures
import Glibc
import Tensors

extension CheckpointStore {
    /// Which checkpoint to open.
    public enum Selection: Sendable, Equatable {
        /// The checkpoint that a link points to.
        case link(Link)
        /// The checkpoint of a step.
        case step(Int)
        /// A checkpoint directory at any path.
        case path(String)
    }

    /// A checkpoint that failed verification, and why.
    public struct Refusal: Sendable, Equatable {
        /// The directory.
        public let path: String
        /// The sentence that names the damaged file.
        public let reason: String
    }

    /// The steps that have a checkpoint, intact or not, in ascending order.
    public func steps() throws(Failure) -> [Int] {
        Set(try directoryNames(directory).compactMap { Self.step(name: $0) ?? Self.previousStep(name: $0) }).sorted()
    }

    /// The intact checkpoint with the most steps, and the ones with more steps that were refused.
    public func newestIntact() throws(Failure) -> (checkpoint: Checkpoint?, refusals: [Refusal]) {
        var refusals: [Refusal] = []
        for step in try steps().reversed() {
            do throws(Failure) {
                return (try open(.step(step)), refusals)
            } catch {
                refusals.append(Refusal(path: path(step: step), reason: error.message))
            }
        }
        return (nil, refusals)
    }

    /// Opens and verifies a checkpoint; throws `inputMissing` when there is none, and `badData` with the name of the damaged
    /// file.
    public func open(_ selection: Selection) throws(Failure) -> Checkpoint {
        switch selection {
        case .path(let path):
            return try Checkpoint(path: path)
        case .link(let link):
            let path = "\(directory)/\(link.rawValue)"
            guard fileType(path) != nil else {
                throw Failure(
                    .inputMissing,
                    "there is no checkpoint \(path.shown)\(link == .best ? ", since nothing has been evaluated" : ""); \(try remedy())"
                )
            }
            if let step = step(of: link) { return try open(.step(step)) }
            return try Checkpoint(path: path)
        case .step(let step):
            return try open(step: step)
        }
    }

    /// Another save of the same step may replace the directory while it is read. Then an error is not a reason to refuse the
    /// checkpoint but to look again.
    private func open(step: Int) throws(Failure) -> Checkpoint {
        var attempts = 0
        while true {
            let before = place(step: step)
            do throws(Failure) {
                return try verify(before, step: step)
            } catch {
                attempts += 1
                let now = place(step: step)
                if attempts == 100 || (before == now && before != nil) { throw error }
                // Between the two renames of a replacement, a step may seem absent for a moment.
                if now == nil, attempts > 3 { throw error }
            }
        }
    }

    /// The directory that now holds a step's checkpoint, and its identity; nil when there is none.
    private func place(step: Int) -> Place? {
        for path in [path(step: step), previousPath(step: step)] {
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { continue }
            return Place(
                path: path, file: status.st_ino, seconds: status.st_ctim.tv_sec, nanoseconds: status.st_ctim.tv_nsec)
        }
        return nil
    }

    private struct Place: Equatable {
        let path: String
        let file: ino_t
        // A new directory may get the inode number of one that was just removed, so the time of change is part of the identity.
        let seconds: Int
        let nanoseconds: Int
    }

    private func verify(_ place: Place?, step: Int) throws(Failure) -> Checkpoint {
        guard let place else {
            throw Failure(
                .inputMissing, "there is no checkpoint of step \(step) in \(directory.shown); \(try remedy())")
        }
        guard fileType(place.path) == S_IFDIR else {
            throw Failure(
                .badData,
                "\(place.path.shown) is a symbolic link or a file, which a run's own checkpoint never is; remove it, or give "
                    + "the path that it leads to")
        }
        let checkpoint = try Checkpoint(path: place.path)
        guard checkpoint.step == step else {
            throw Failure(
                .badData,
                "the manifest of \(place.path.shown) is of step \(checkpoint.step); rename the directory or use another "
                    + "one")
        }
        return checkpoint
    }

    private func remedy() throws(Failure) -> String {
        let steps = try steps()
        return steps.isEmpty
            ? "there are none in this run"
            : "choose last, or one of the steps \(steps.map(String.init).joined(separator: ", "))"
    }
}
