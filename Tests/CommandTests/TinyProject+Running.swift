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

    /// Runs a command that writes the directory `out` as a whole, and sends it a signal while it does. Nil if it could not be held
    /// before its end; `isDone` tells that the directory is there.
    func stop(
        _ arguments: [String], writing out: String, with signal: Int32, isDone: () -> Bool
    ) throws -> Program.Result? {
        func isWriting() -> Bool {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            return names.contains { $0.hasPrefix(".\(out).") && $0.hasSuffix(".tmp") }
        }
        let running = try RunningProgram(command: tellingPids() + arguments + ["--out", file(out)])
        var isHeld = false
        // It is held as soon as it has begun to write, so that it cannot finish before the signal.
        running.wait {
            let deadline = ContinuousClock.now + .milliseconds(20)
            repeat {
                if isDone() { return true }
                guard isWriting() else { continue }
                isHeld = (try? kill(pid(rank: 0), SIGSTOP)) == 0
                return true
            } while ContinuousClock.now < deadline
            return false
        }
        // It may have been held behind its last write.
        if isHeld { isHeld = isWriting() && !isDone() }
        let process = try pid(rank: 0)
        if isHeld { #expect(kill(process, signal) == 0) }
        kill(process, SIGCONT)
        let result = try running.wait()
        return isHeld ? result : nil
    }

    /// Whether the run has logged a step.
    var hasMetrics: Bool { loggedSteps > 0 }

    /// Number of lines that the run has logged.
    var loggedSteps: Int {
        (FileManager.default.contents(atPath: file("run/metrics.jsonl")) ?? Data()).count { $0 == UInt8(ascii: "\n") }
    }
}
