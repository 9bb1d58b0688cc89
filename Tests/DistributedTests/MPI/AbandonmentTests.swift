import Failures
import Foundation
import TestSupport
import Testing

@testable import MPI

/// The effect of a failing rank on a job. These tests start jobs themselves, so they run only in a process that no launcher
/// started (`launch/test.sh` runs the target once in that way).
@Suite(.serialized, .enabled(if: !TestWorld.isLaunched, "starts jobs of its own: not under mpirun"))
struct AbandonmentTests {
    /// This variable is set in the jobs that the tests start, and says what rank 1 does.
    private static let variable = "UNOLORA_TEST_ABANDON"

    /// launch/mpi-environment.sh names the mpirun of this build's MPI if it is not the one in PATH.
    private let launcher = ProcessInfo.processInfo.environment["UNOLORA_MPIRUN"] ?? "mpirun"

    /// Starts two ranks of this test program that run `AbandonedJob`; returns the launcher's exit status and the time it took.
    ///
    /// It uses posix_spawn instead of `Process`: the daemon that MPI forks for this process may inherit the socket by which
    /// `Process` is told about the end, and then `Process` never learns about it.
    private func run(_ action: String) throws -> (status: Int32, seconds: Double, output: String) {
        let directory = try TemporaryDirectory()
        let arguments =
            ["timeout", "-k", "5", "60", launcher, "-n", "2", try testProgram()]
            + ["--testing-library", "swift-testing", "--no-parallel", "--filter", "AbandonedJob"]
        // Once MPI has been started in this process, it leaves variables that a launcher would take for its own.
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in
            !["OMPI_", "PMIX_", "PMI_"].contains { name.hasPrefix($0) }
        }
        environment[Self.variable] = action
        environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
        environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        environment["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 1, directory.file("log"), O_CREAT | O_WRONLY | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&files, 1, 2)
        let words = arguments.map { strdup($0) } + [nil]
        let settings = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + settings { free(text) } }
        let start = ContinuousClock.now
        var child: pid_t = 0
        try #require(posix_spawnp(&child, "timeout", &files, nil, words, settings) == 0)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { try #require(errno == EINTR) }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let output = try String(contentsOfFile: directory.file("log"), encoding: .utf8)
        return (status & 0x7f == 0 ? status >> 8 & 0xff : -1, seconds, output)
    }

    private func testProgram() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    @Test func `a rank that drops its environment ends the job while the others wait for it`() throws {
        let job = try run("drop")
        #expect(job.output.contains("rank 1 leaves by drop"))
        #expect(job.status != 0)
        #expect(job.status != 124, "ran into the time limit: \(job.output)")
        #expect(job.seconds < 45)
        #expect(!job.output.contains("rank 0 passed"))
    }

    @Test func `an abort ends the job with its code`() throws {
        let job = try run("abort")
        #expect(job.status == ExitCode.notFinite.rawValue, "\(job.output)")
        #expect(job.seconds < 45)
        #expect(!job.output.contains("rank 0 passed"))
    }

    @Test func `a job that is finalised ends with 0`() throws {
        let job = try run("finalise")
        #expect(job.status == 0, "\(job.output)")
        #expect(job.output.contains("rank 0 passed"))
    }
}

/// The code of the jobs that `AbandonmentTests` starts; disabled otherwise.
@MainActor
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["UNOLORA_TEST_ABANDON"] != nil, "the body of jobs of other tests"))
struct AbandonedJob {
    @Test func `rank 1 leaves while rank 0 waits`() throws {
        let action = try #require(ProcessInfo.processInfo.environment["UNOLORA_TEST_ABANDON"])
        let environment = try MPIEnvironment()
        let world = environment.world
        #expect(world.size == 2)
        if world.rank == 1 {
            FileHandle.standardError.write(Data("rank 1 leaves by \(action)\n".utf8))
            if action == "drop" { return }
            if action == "abort" { world.abort(.notFinite) }
        }
        try world.barrier()
        if world.rank == 0 { FileHandle.standardError.write(Data("rank 0 passed\n".utf8)) }
        try environment.finalize()
    }
}
