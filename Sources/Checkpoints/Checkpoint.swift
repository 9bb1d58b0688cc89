public import Failures
public import Foundation
import Glibc
public import Tensors

/// A checkpoint on the disk whose files were all found to match its manifest.
public struct Checkpoint: Sendable, Equatable {
    /// Completed optimiser steps.
    public let step: Int
    /// The directory.
    public let path: String
    /// The manifest.
    public let manifest: Manifest

    /// Opens a checkpoint directory and verifies it. Throws `inputMissing` when it or its manifest is absent, and `badData`
    /// with the name of a file that is missing, has another size or digest, or is not a file inside the directory.
    public init(path: String) throws(Failure) {
        let manifest = try Self.manifestWithSizes(path)
        for (name, entry) in manifest.files.sorted(by: { $0.key < $1.key }) {
            let file = "\(path)/\(name)"
            let digest = try ContentDigest.of(file: file)
            guard digest == entry.digest else {
                throw Failure(
                    .badData,
                    "\(file.shown) is damaged: its digest is \(digest) but the manifest says \(entry.digest); use "
                        + "another checkpoint")
            }
        }
        self.init(path: path, manifest: manifest)
    }

    init(path: String, manifest: Manifest) {
        step = manifest.step
        self.path = path
        self.manifest = manifest
    }

    /// The digest of the adapter's weights, as the manifest of a checkpoint directory lists it; the files only need to have their
    /// sizes. Throws like `init(path:)`.
    public static func listedAdapterDigest(path: String) throws(Failure) -> ContentDigest? {
        try Checkpoint(path: path, manifest: manifestWithSizes(path)).adapterDigest
    }

    /// The directory with the adapter in its native format, or with the whole model in Hugging Face's.
    public var adapterDirectory: String { "\(path)/adapter" }

    /// The file with the adapter's weights.
    public var adapterModel: String { "\(path)/\(weights)" }

    /// The digest of the file with the adapter's weights.
    public var adapterDigest: ContentDigest? { manifest.files[weights]?.digest }

    private var weights: String {
        CheckpointFile.weights.first { manifest.files[$0] != nil } ?? CheckpointFile.adapterModel
    }

    /// The file with AdamW's moments.
    public var optimizer: String { "\(path)/\(CheckpointFile.optimizer)" }

    /// Content of `adapter/unolora_config.json`.
    public func adapterConfiguration() throws(Failure) -> Data { try data(CheckpointFile.adapterConfiguration) }

    /// Content of `state.json`.
    public func state() throws(Failure) -> Data { try data(CheckpointFile.state) }

    /// Overwrites the arena with the adapter; `badData` names a tensor that is missing, extra or has the wrong shape.
    public func loadWeights(_ layout: ParameterLayout, into arena: Arena) throws(Failure) {
        try SafetensorsFile(path: adapterModel).load(layout, into: [("", arena)])
    }

    /// Overwrites the arenas with AdamW's moments, which have the layout of the trained weights; `badData` names a tensor that is
    /// missing, extra or has the wrong shape.
    public func loadMoments(_ layout: ParameterLayout, first: Arena, second: Arena) throws(Failure) {
        try SafetensorsFile(path: optimizer).load(
            layout, into: [(CheckpointFile.firstMomentPrefix, first), (CheckpointFile.secondMomentPrefix, second)])
    }

    /// Overwrites an arena with the running average of a task's gradient; returns whether the checkpoint has one.
    public func loadAverage(of task: String, into arena: Arena) throws(Failure) -> Bool {
        guard manifest.files[CheckpointFile.averages] != nil else { return false }
        let file = try SafetensorsFile(path: "\(path)/\(CheckpointFile.averages)")
        guard let tensor = file.tensors.first(where: { $0.name == task }), tensor.shape == [arena.count] else {
            return false
        }
        try unsafe file.convert(tensor, into: arena.base)
        return true
    }

    private func data(_ name: String) throws(Failure) -> Data {
        let file = try MappedFile(path: "\(path)/\(name)")
        return withExtendedLifetime(file) { unsafe Data(file.bytes) }
    }

    /// The manifest of a directory whose files all exist with the sizes that the manifest gives; their content is not read.
    static func manifestWithSizes(_ path: String) throws(Failure) -> Manifest {
        guard fileType(path, followingLinks: true) == S_IFDIR else {
            throw Failure(.inputMissing, "there is no checkpoint directory \(path.shown); check the path")
        }
        guard fileType("\(path)/\(CheckpointFile.manifest)") != nil else {
            throw Failure(
                .inputMissing,
                "\(path.shown) has no \(CheckpointFile.manifest), so it is not a complete checkpoint; use another one")
        }
        let manifest = try Manifest(directory: path)
        for (name, entry) in manifest.files.sorted(by: { $0.key < $1.key }) {
            try checkIsInside(path, name)
            let file = "\(path)/\(name)"
            var status = stat()
            guard unsafe lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw Failure(
                    .badData,
                    "\(file.shown) is missing or not a file, but the manifest lists it; use another checkpoint")
            }
            guard status.st_size == entry.size else {
                throw Failure(
                    .badData,
                    "\(file.shown) has \(status.st_size) bytes but the manifest says \(entry.size); use another checkpoint"
                )
            }
        }
        return manifest
    }

    /// Refuses names that reach their file through a symbolic link, which could lead anywhere.
    private static func checkIsInside(_ path: String, _ name: String) throws(Failure) {
        var place = path
        for part in name.utf8.split(separator: UInt8(ascii: "/")) {
            place += "/\(Substring(part))"
            guard fileType(place) != S_IFLNK else {
                throw Failure(
                    .badData, "\(place.shown) is a symbolic link, which a checkpoint never has; use another checkpoint")
            }
        }
    }
}
