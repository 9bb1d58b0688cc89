import Foundation
import Testing

/// Helpers for tests of running jobs that need the processes.
extension TinyProject {
    /// Arguments of a training in the run directory `run`.
    func train(_ arguments: [String] = []) -> [String] {
        ["train", "--config", configuration, "--out", file("run")] + arguments
    }

    /// Writes a script that each rank runs instead of the program, and returns the command. `$rank` is the rank, 0 without
    /// mpirun; `exec "$@"` starts the program.
    func perRank(_ script: String) throws -> [String] {
        ["sh", try write("rank.sh", "rank=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}\n" + script), Program.path]
    }

    /// Like `perRank`; each rank writes its process id, for `pid(rank:)`.
    func tellingPids() throws -> [String] { try perRank("echo $$ > '\(path)/pid.'$rank; exec \"$@\"\n") }

    /// The process of a rank that was started with `tellingPids`.
    func pid(rank: Int) throws -> pid_t {
        let text = try String(contentsOfFile: file("pid.\(rank)"), encoding: .utf8)
        return try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    /// Whether the run has logged a step.
    var hasMetrics: Bool { loggedSteps > 0 }

    /// Number of lines that the run has logged.
    var loggedSteps: Int {
        (FileManager.default.contents(atPath: file("run/metrics.jsonl")) ?? Data()).count { $0 == UInt8(ascii: "\n") }
    }
}
