public import Failures
import Foundation
import Tensors

/// The directory of a run and the paths of everything in it.
public struct RunDirectory: Sendable {
    /// Path as the user gave it.
    public let path: String
    /// Whether the job holds the directory; all copies of this value share it.
    package let owner = RunOwner()

    /// A subdirectory that the program makes and writes to.
    package enum Part: String, CaseIterable {
        case checkpoints
        case logs
        /// Token caches, if `data.cache` does not name another place.
        case cache
        /// The embedded example's files.
        case example
        /// The run directory of a replay.
        case replay
    }

    /// Names a run directory, which need not exist yet.
    public init(_ path: String) {
        self.path = path
    }

    /// The resolved configuration.
    public var configuration: String { path + "/config.yaml" }
    /// Version, libraries, hosts, ranks and threads.
    public var environment: String { path + "/environment.json" }
    /// The figures of the data.
    package var data: String { path + "/data.json" }
    /// One JSON object per line, append-only.
    public var metrics: String { path + "/metrics.jsonl" }
    /// The lock of the job that holds the directory.
    package var lock: String { path + "/.lock" }
    /// Starts and ends of the run's jobs: one JSON object per line, append-only.
    package var jobs: String { path + "/jobs.jsonl" }
    /// Running, finished, preempted or failed.
    public var status: String { path + "/STATUS.json" }

    /// The path of a part, which may not exist; code that writes there calls `make` instead.
    package func path(of part: Part) -> String { "\(path)/\(part.rawValue)" }

    /// The log of a rank.
    public func log(rank: Int) -> String {
        let digits = String(rank)
        return path(of: .logs) + "/rank-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits + ".log"
    }

    /// Makes the directory and its parts. Throws `cannotWrite` when that is impossible, or when the run would later overwrite
    /// files that do not belong to a run.
    public func create() throws(Failure) {
        try refuseForeign()
        try make(path)
        for part in [Part.checkpoints, .logs] { try make(part) }
        guard FileManager.default.isWritableFile(atPath: path) else {
            throw Failure(.cannotWrite, "the run directory \(path) is not writable; choose another with --out")
        }
    }

    /// Makes a part of the directory, and directories below it, and returns the path. All code that writes there must use it.
    /// Throws `cannotWrite`, before anything is made, when the part or a directory below it is another user's link.
    @discardableResult
    package func make(_ part: Part, with below: [String] = []) throws(Failure) -> String {
        let place = path(of: part)
        for name in [""] + below {
            var path = place
            try refuseForeignLink(path)
            for component in name.split(separator: "/") {
                path += "/\(component)"
                try refuseForeignLink(path)
            }
        }
        for name in [""] + below { try make(name.isEmpty ? place : "\(place)/\(name)") }
        return place
    }

    private func make(_ directory: String) throws(Failure) {
        guard makeDirectories(directory) else {
            throw Failure(
                .cannotWrite,
                "the run directory \(directory) cannot be created (\(systemMessage(errno))); choose another with --out")
        }
    }

    /// Overwrites a small file as a whole: never half-written. Throws when another job has taken the directory.
    func write(_ data: Data, to file: String) throws(Failure) {
        try owner.checkNow()
        try DurableFile.replace(file) { output throws(Failure) in try output.write([UInt8](data)) }
    }
}
