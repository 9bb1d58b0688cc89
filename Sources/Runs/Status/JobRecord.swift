import Foundation
import Tensors

/// A line of `jobs.jsonl`: the start or the end of a job of the run. `STATUS.json` has only the newest.
///
/// A job whose processes were all killed leaves a start without an end.
package struct JobRecord: Codable, Equatable {
    package enum Kind: String, Codable {
        case start
        case end
    }

    package var kind: Kind
    /// When, as in 2026-01-31T23:59:59Z.
    package var time: String
    /// Steps done.
    package var step: Int
    /// Number of ranks; of a start.
    package var ranks: Int?
    /// The machine of rank 0; of a start.
    package var host: String?
    /// SLURM's number of the job; nil without SLURM.
    package var job: String?
    /// The version of the program; of a start.
    package var version: String?
    /// What else the bits of its steps depend on, by name, as in `environment.json`; of a start. Nil in lines of earlier versions.
    package var libraries: [String: String]?
    /// How the job ended.
    package var state: RunStatus.State?
    /// One sentence that says why it ended.
    package var reason: String?
    /// Exit code of the rank that ended the job.
    package var exitCode: Int32?
    /// Step of the newest complete checkpoint at the end; nil for none.
    package var lastDurableStep: Int?

    /// A job of `ranks` ranks that continues after `step` steps.
    init(startAt step: Int, ranks: Int, libraries: [String: String]?) {
        kind = .start
        time = Date().formatted(.iso8601)
        self.step = step
        self.ranks = ranks
        host = ProcessInfo.processInfo.hostName
        job = Self.job
        version = ProgramVersion.current
        self.libraries = libraries
    }

    /// The end that a status describes.
    init(end status: RunStatus) {
        kind = .end
        time = Date(timeIntervalSince1970: status.time).formatted(.iso8601)
        step = status.step
        job = Self.job
        state = status.state
        reason = status.reason
        exitCode = status.exitCode
        lastDurableStep = status.lastDurableStep
    }

    private static var job: String? { ProcessInfo.processInfo.environment["SLURM_JOB_ID"] }

    /// Appends the line. An error is ignored: the run must not end because its history cannot be written, and its other files
    /// report a full disk.
    func append(to run: RunDirectory) {
        guard let line = try? StableJSON.line(self, "the job"),
            let file = try? GrowingFile(appendingToOrCreating: run.jobs)
        else { return }
        try? file.append(Array(line) + [0x0A])
    }
}
