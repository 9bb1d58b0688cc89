import Failures
import Foundation
public import Tensors

/// `MANIFEST.json`: the size and digest of every file of a checkpoint, written last.
///
/// It also has a digest of its own content, so that damage to the manifest itself is found.
public struct Manifest: Sendable, Equatable {
    /// What the manifest says about one file.
    public struct Entry: Codable, Sendable, Equatable {
        /// Bytes.
        public let size: Int
        /// Digest of the bytes.
        public let digest: ContentDigest

        init(_ summary: DurableFile.Summary) {
            size = summary.size
            digest = summary.digest
        }
    }

    /// Completed optimiser steps.
    public let step: Int
    /// The files by their path inside the checkpoint.
    public let files: [String: Entry]
    /// Versions of everything that the numbers depend on, such as libraries.
    public let dependsOn: [String: String]

    /// The format of checkpoints that this version writes and reads.
    static let format = 1

    private struct Stored: Codable {
        let format: Int
        let step: Int
        let files: [String: Entry]
        let dependsOn: [String: String]
        let digest: ContentDigest
    }

    private struct Format: Decodable {
        let format: Int
    }

    init(step: Int, files: [String: Entry], dependsOn: [String: String]) {
        self.step = step
        self.files = files
        self.dependsOn = dependsOn
    }

    /// Reads and checks the manifest of a checkpoint directory, but not the files that it lists.
    init(directory: String) throws(Failure) {
        let path = "\(directory)/\(CheckpointFile.manifest)"
        try self.init(BoundedJSON.content(of: path, followingLinks: false), path: path)
    }

    /// Reads and checks the content of a manifest; `path` is for messages.
    init(_ data: Data, path: String) throws(Failure) {
        if let format = try? BoundedJSON.decode(Format.self, from: data).format, format != Self.format {
            throw Failure(
                .badData,
                "\(path.shown) is of checkpoint format \(format) but this version reads format \(Self.format); use the "
                    + "version that wrote it")
        }
        guard let stored = try? BoundedJSON.decode(Stored.self, from: data) else {
            throw Failure(.badData, "\(path.shown) is not a valid manifest; use another checkpoint")
        }
        self.init(step: stored.step, files: stored.files, dependsOn: stored.dependsOn)
        guard stored.digest == ownDigest else {
            throw Failure(.badData, "\(path.shown) is damaged: its own digest does not hold; use another checkpoint")
        }
        try checkNames(path)
    }

    /// Writes `MANIFEST.json` into a directory.
    func write(into directory: String) throws(Failure) {
        let data = try encoded()
        let file = try DurableFile(creating: "\(directory)/\(CheckpointFile.manifest)", exclusively: true)
        // There is no line end after the last brace, so a manifest that was cut short by any number of bytes is not valid JSON.
        try file.write(Array(data))
        _ = try file.finish()
    }

    /// The content of `MANIFEST.json`.
    func encoded() throws(Failure) -> Data {
        let stored = Stored(
            format: Self.format, step: step, files: files, dependsOn: dependsOn, digest: ownDigest)
        return try StableJSON.document(stored, "the manifest of step \(step)")
    }

    /// The digest of the manifest's meaning, however its JSON is written.
    private var ownDigest: ContentDigest {
        func counted(_ text: String) -> String { "\(text.utf8.count):\(text)" }
        var text = "format \(Self.format) step \(step)\n"
        for (name, entry) in files.sorted(by: { $0.key < $1.key }) {
            text += "file \(counted(name)) \(entry.size) \(entry.digest.hexadecimal)\n"
        }
        for (name, version) in dependsOn.sorted(by: { $0.key < $1.key }) {
            text += "dependsOn \(counted(name)) \(counted(version))\n"
        }
        return ContentDigest(of: text)
    }

    private func checkNames(_ path: String) throws(Failure) {
        guard step >= 0 else {
            throw Failure(.badData, "\(path.shown) is of step \(step), which cannot be; use another checkpoint")
        }
        for name in files.keys.sorted() {
            // Bytes are split because Swift takes "/" with a combining mark for another character, but the system for a
            // separator.
            let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard !parts.contains(where: { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }),
                !name.utf8.contains(0)
            else {
                throw Failure(
                    .badData,
                    "\(path.shown) lists '\(name.shown)', which is not the path of a file inside the checkpoint; do not "
                        + "use it")
            }
        }
        for name in CheckpointFile.required where files[name] == nil {
            throw Failure(.badData, "\(path.shown) does not list \(name); use another checkpoint")
        }
        guard CheckpointFile.weights.count(where: { files[$0] != nil }) == 1 else {
            throw Failure(
                .badData,
                "\(path.shown) does not list exactly one of \(CheckpointFile.weights.joined(separator: " and ")); use "
                    + "another checkpoint")
        }
    }
}
