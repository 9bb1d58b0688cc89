import Configuration
import Failures
import Foundation
import Tensors

/// `FILE.state.json` beside a file of answers: what decides the answers, and how much of the file is surely on the disk.
struct AnswerState: Codable, Equatable {
    /// What decides the bytes of the answers.
    struct Identity: Codable, Equatable {
        /// Digest of the adapter's weights.
        var checkpoint: ContentDigest
        /// Digest of the backbone.
        var model: String
        /// Digest of the vocabulary.
        var vocabulary: String
        /// `RunConfiguration.resultText`.
        var settings: String
        /// The task of all lines; nil when each line names its own.
        var task: String?
        /// Whether log-probabilities are given.
        var scores: Bool
        /// Bytes and digest of an input file; nil for a pipe.
        var input: Input?
    }

    /// The content of an input file.
    struct Input: Codable, Equatable {
        var bytes: Int
        var digest: ContentDigest
    }

    /// The format that this version writes and reads.
    static let format = 1

    var format = Self.format
    var identity: Identity
    /// What else the bits depend on; a difference is reported.
    var libraries: [String: String]
    /// The lines that are on the disk.
    var lines = 0
    /// The bytes of these lines.
    var bytes = 0
    /// The digest of the input lines that they answer.
    var answered: ContentDigest
    /// Whether they are all.
    var isFinished = false

    private struct Format: Decodable {
        var format: Int
    }

    /// Reads the file; nil when there is none. Throws `badData` for a file that is something else.
    init?(path: String) throws(Failure) {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let content = try BoundedJSON.content(of: path)
        do {
            let format = try BoundedJSON.decode(Format.self, from: content).format
            guard format == Self.format else {
                throw Failure(
                    .badData,
                    "\(path) has format \(format), and this version continues only format \(Self.format); use the version that "
                        + "wrote it, or another --output")
            }
            self = try BoundedJSON.decode(Self.self, from: content)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(
                .badData,
                "\(path) is no state of a predict command, so its output cannot be continued; choose another --output")
        }
    }

    /// The state before the first line.
    init(_ identity: Identity, libraries: [String: String], answered: ContentDigest) {
        (self.identity, self.libraries, self.answered) = (identity, libraries, answered)
    }

    /// Replaces the file in one step.
    func write(_ path: String) throws(Failure) {
        let bytes = try [UInt8](StableJSON.document(self, "the state of the answers")) + [0x0A]
        try DurableFile.replace(path) { file throws(Failure) in try file.write(bytes) }
    }
}

extension AnswerState.Identity {
    /// The first difference to the present command, as a part of a sentence; nil for none.
    func difference(to present: Self) -> String? {
        if task != present.task {
            func name(_ task: String?) -> String { task.map { "--task \($0)" } ?? "no --task" }
            return "it was begun with \(name(task)), and now there is \(name(present.task))"
        }
        if scores != present.scores {
            return
                "it was begun \(scores ? "with" : "without") --scores, and now there \(scores ? "is none" : "is --scores")"
        }
        if checkpoint != present.checkpoint { return "the checkpoint has other weights" }
        if model != present.model { return "the model (its config.json or weights) differs" }
        if vocabulary != present.vocabulary { return "the vocabulary (with its added tokens) differs" }
        let use = { (task: String) in AdapterUse.prediction(task: task) }
        if let task {
            if let change = RunConfiguration.differences(from: settings, to: present.settings, for: use(task)).first {
                return change
            }
        } else if let change = RunConfiguration.differences(from: settings, to: present.settings, for: .evaluation)
            .first
        {
            return change
        }
        switch (input, present.input) {
        case (nil, nil): return nil
        case (let before?, let now?):
            if before.bytes != now.bytes { return "the input had \(before.bytes) bytes and has \(now.bytes)" }
            return before.digest == now.digest ? nil : "the input has another content"
        case (nil, _?): return "its input was a pipe, and now it is a file"
        case (_?, nil): return "its input was a file, and now it is a pipe"
        }
    }
}
