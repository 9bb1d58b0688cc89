import Failures
import Foundation
import Tensors

/// Where everything of one run lies.
public struct RunDirectory: Sendable {
    /// Path as the user gave it.
    public let path: String
    /// Whether the directory is this job's; of all copies of this value.
    package let owner = RunOwner()

    /// A directory in it that the program makes and writes to.
    package enum Part: String, CaseIterable {
        case checkpoints
        case logs
        /// Token caches, where `data.cache` names no place for them.
        case cache
        /// The embedded example's files.
        case example
        /// The run directory of a replay.
        case replay
    }

    /// Names a run directory that exists or will.
    public init(_ path: String) {
        self.path = path
    }

    /// The resolved configuration.
    public var configuration: String { path + "/config.yaml" }
    /// Version, libraries, hosts, ranks and threads.
    public var environment: String { path + "/environment.json" }
    /// One JSON object a line, append-only.
    public var metrics: String { path + "/metrics.jsonl" }
    /// The lock of the job that has the directory.
    package var lock: String { path + "/.lock" }
    /// Running, finished, preempted or failed.
    public var status: String { path + "/STATUS.json" }

    /// Where a part is, or will be; `make` is for those who write there.
    package func path(of part: Part) -> String { "\(path)/\(part.rawValue)" }

    /// The log of a rank.
    public func log(rank: Int) -> String {
        let digits = String(rank)
        return path(of: .logs) + "/rank-" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits + ".log"
    }

    /// Makes the directory and its parts; throws `cannotWrite` when that is not possible, or would in time overwrite
    /// files that are no run's.
    public func create() throws(Failure) {
        try refuseForeign()
        try make(path)
        for part in [Part.checkpoints, .logs] { try make(part) }
        guard FileManager.default.isWritableFile(atPath: path) else {
            throw Failure(.cannotWrite, "the run directory \(path) is not writable; choose another with --out")
        }
    }

    /// Makes a part of the directory, and directories below it, and returns its path: the way for everybody who writes
    /// there. Throws `cannotWrite`, before anything is made, where the part or one below it is another user's link.
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

    /// Overwrites a small file as a whole: never half-written. Throws where another job has the directory meanwhile.
    func write(_ data: Data, to file: String) throws(Failure) {
        try owner.checkNow()
        try DurableFile.replace(file) { output throws(Failure) in try output.write([UInt8](data)) }
    }
}
