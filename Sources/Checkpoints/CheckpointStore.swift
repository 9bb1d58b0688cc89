public import Failures
import Foundation
import Glibc
import Tensors

/// The checkpoints of one run: `<run>/checkpoints/step-00001000/` and the links `best` and `last`.
///
/// A checkpoint is written in a hidden temporary directory; every file and directory is synchronised, and one rename makes it
/// visible. Whenever a process or the machine stops, every `step-` directory is either complete or was complete before the disk
/// lost something, which the manifest reveals. Several processes may save at the same time.
public struct CheckpointStore: Sendable {
    /// The directory `checkpoints` of the run.
    public let directory: String

    /// Describes the store of a run directory without accessing it.
    public init(runDirectory: String) {
        directory = "\(runDirectory)/checkpoints"
    }

    /// The links that the store keeps.
    public enum Link: String, Sendable, CaseIterable {
        /// The checkpoint with the best validation figure.
        case best
        /// The checkpoint saved last.
        case last
    }

    /// The name of a step's directory.
    public static func name(step: Int) -> String {
        let digits = String(step)
        return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    /// The step of a directory's name; nil for other names.
    static func step(name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0, Self.name(step: step) == name
        else { return nil }
        return step
    }

    /// Makes the directory, completes what a killed process had begun, and removes its temporary directories.
    ///
    /// Only one process may call it, before any process saves. Returns the step of the latest checkpoint of which only the
    /// beginning was written, if it is later than all whole ones; else nil.
    @discardableResult
    public func prepare() throws(Failure) -> Int? {
        if fileType(directory, followingLinks: true) != S_IFDIR {
            try makeDirectory(directory)
            try DurableFile.synchronize(directory: directory + "/..")
        }
        return try exclusively { () throws(Failure) in try cleanUp() }
    }

    private func cleanUp() throws(Failure) -> Int? {
        var unfinished: [Int] = []
        for name in try directoryNames(directory) {
            if name.hasPrefix("."), name.hasSuffix(Self.temporarySuffix) {
                try removeTree("\(directory)/\(name)")
                if let step = Self.step(name: String(name.dropFirst().prefix { $0 != "." })) { unfinished.append(step) }
            } else if let step = Self.previousStep(name: name) {
                try settleReplacement(of: step)
            }
        }
        let newest = try steps().last ?? -1
        return unfinished.max().flatMap { $0 > newest ? $0 : nil }
    }

    /// Saves a checkpoint and points `last` to it.
    ///
    /// Replaces a checkpoint of the same step. Throws `notFinite` when a tensor holds an infinity or NaN, before anything is
    /// changed; throws `cannotWrite` when the disk refuses, and then older checkpoints and links are unchanged.
    @discardableResult
    public func save(_ contents: CheckpointContents) throws(Failure) -> Checkpoint {
        try contents.check()
        let temporary = temporaryPath(Self.name(step: contents.step))
        let manifest: Manifest
        do {
            try makeDirectory(temporary)
            let files = try contents.write(into: temporary)
            manifest = Manifest(step: contents.step, files: files, dependsOn: contents.dependsOn)
            try manifest.write(into: temporary)
            try DurableFile.synchronize(directory: temporary)
            try exclusively { () throws(Failure) in
                try show(temporary, as: manifest)
                // Another rank may have saved a later step in the meantime.
                if step(of: .last).map({ $0 <= contents.step || fileType(path(step: $0)) == nil }) ?? true {
                    try link(.last, to: contents.step)
                }
            }
        } catch {
            // The next `prepare` removes what cannot be removed now.
            try? removeTree(temporary)
            try? exclusively { () throws(Failure) in try settleReplacement(of: contents.step) }
            throw error
        }
        return Checkpoint(path: path(step: contents.step), manifest: manifest)
    }

    /// Points a link to a step's checkpoint in one atomic step; throws `internal` when there is none.
    public func point(_ link: Link, at step: Int) throws(Failure) {
        try exclusively { () throws(Failure) in try self.link(link, to: step) }
    }

    /// Removes a link; does nothing when it is absent.
    public func remove(_ link: Link) throws(Failure) {
        try exclusively { () throws(Failure) in try self.unlink(link) }
    }

    /// Whether this store has this checkpoint under the name of its step.
    public func holds(_ checkpoint: Checkpoint) -> Bool {
        [path(step: checkpoint.step), previousPath(step: checkpoint.step)].contains { isSameFile($0, checkpoint.path) }
    }

    /// Like `point`; the caller must hold the lock.
    func link(_ link: Link, to step: Int) throws(Failure) {
        guard fileType(path(step: step)) == S_IFDIR else {
            throw Failure(.internal, "there is no checkpoint of step \(step) to call \(link.rawValue); report this")
        }
        let target = "\(directory)/\(link.rawValue)"
        // If the store was copied by a tool that follows links, there is a directory here.
        if fileType(target) == S_IFDIR { try putAside(link.rawValue) }
        let temporary = temporaryPath(link.rawValue)
        guard unsafe symlink(Self.name(step: step), temporary) == 0 else { throw writeFailure("create", target) }
        do {
            try DurableFile.rename(temporary, to: target)
        } catch {
            unsafe Glibc.unlink(temporary)
            throw error
        }
    }

    /// Like `remove`; the caller must hold the lock. Anything that is not a link is somebody's data and is put aside.
    func unlink(_ link: Link) throws(Failure) {
        let path = "\(directory)/\(link.rawValue)"
        if let type = fileType(path), type != S_IFLNK { return try putAside(link.rawValue) }
        try removeTree(path)
    }

    /// The step that a link points to; nil when it is absent or not a link of this store.
    public func step(of link: Link) -> Int? {
        guard let name = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\(link.rawValue)")
        else { return nil }
        return Self.step(name: name)
    }

    /// The path of a step's checkpoint once it is visible.
    func path(step: Int) -> String { "\(directory)/\(Self.name(step: step))" }

    static let temporarySuffix = ".tmp"

    /// A hidden name that no other process uses; `prepare` removes it when its owner was killed.
    func temporaryPath(_ name: String) -> String {
        "\(directory)/.\(name).\(UUID().uuidString)\(Self.temporarySuffix)"
    }
}
