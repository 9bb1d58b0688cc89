import Foundation
import TestSupport
import Testing

/// Runs the built executable in a process, alone or under mpirun.
enum Program {
    /// How a process ended and what it printed.
    struct Result {
        var code: Int32
        var output: String
        var error: String
        var seconds: Double

        /// The program's own lines on standard error, without mpirun's.
        var sentences: [String] {
            error.split(separator: "\n").map(String.init).filter {
                $0.hasPrefix("unolora-dist:") || $0.hasPrefix("unolora-bench:")
            }
        }
    }

    /// Seconds within which a command that should end at once must have ended, even on a busy machine. A command that hangs is
    /// ended after 120.
    static let promptly = 60.0

    /// The executable, which is in the same directory as the program that runs these tests.
    static let path = products + "/unolora-dist"
    /// The benchmark executable.
    static let benchmarks = products + "/unolora-bench"

    /// The path of a library in the same directory, for loading before a program.
    static func library(_ name: String) -> String { products + "/lib\(name).so" }

    private static let products: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path
    }()

    /// Runs the program to its end, without mpirun if `ranks` is nil. Code 124 or 137 means that it did not end by itself.
    ///
    /// With `output`, standard output goes to that file instead of the result.
    static func run(
        _ arguments: [String], ranks: Int? = nil, environment: [String: String] = [:], directory: String? = nil,
        output: FileHandle? = nil
    ) throws -> Result {
        try run(
            command: [path] + arguments, ranks: ranks, environment: environment, directory: directory, output: output)
    }

    /// Runs any command to its end, like `run` with the program.
    static func run(
        command: [String], ranks: Int? = nil, environment: [String: String] = [:], directory: String? = nil,
        output: FileHandle? = nil
    ) throws -> Result {
        try RunningProgram(
            command: command, ranks: ranks, environment: environment, directory: directory, output: output
        ).wait()
    }

    /// The environment without variables of a launcher of the tests themselves, which would confuse the program and mpirun.
    static let cleanEnvironment: [String: String] = {
        let foreign = ["OMPI_", "PMIX_", "PMI_", "PRTE_", "SLURM_", "OPAL_", "HYDI_"]
        var environment = ProcessInfo.processInfo.environment.filter { name, _ in
            !foreign.contains { name.hasPrefix($0) }
        }
        environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
        environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        environment["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
        // All ranks of a test are on this machine, where Open MPI chooses these after it has looked for networks of every kind. Each
        // start of a process is a quarter of a second shorter without that.
        environment["OMPI_MCA_pml"] = "ob1"
        environment["OMPI_MCA_btl"] = "self,vader,tcp"
        // The names of Open MPI 5.
        environment["PRTE_ALLOW_RUN_AS_ROOT"] = "1"
        environment["PRTE_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
        environment["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe"
        return environment
    }()
}

/// A running command; its output goes to files, so that no full pipe can stop it.
final class RunningProgram {
    private let process = Process()
    private let files: TemporaryDirectory
    private let begun = ContinuousClock.now

    init(
        command: [String], ranks: Int? = nil, environment: [String: String] = [:], directory: String? = nil,
        output: FileHandle? = nil
    ) throws {
        files = try TemporaryDirectory()
        let launcher = ranks.map { ["mpirun", "--bind-to", "none", "-n", String($0)] } ?? []
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = ["-k", "10", "120"] + launcher + command
        process.environment = Program.cleanEnvironment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        try files.write("out", "")
        try files.write("error", "")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output ?? FileHandle(forWritingAtPath: files.file("out"))
        process.standardError = FileHandle(forWritingAtPath: files.file("error"))
        try process.run()
    }

    /// Waits for the end of the command.
    func wait() throws -> Program.Result {
        process.waitUntilExit()
        let elapsed = begun.duration(to: .now).components
        func text(_ name: String) -> String {
            String(decoding: FileManager.default.contents(atPath: files.file(name)) ?? Data(), as: UTF8.self)
        }
        return Program.Result(
            code: process.terminationStatus, output: text("out"), error: text("error"),
            seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18)
    }

    /// Waits until a condition holds; records an issue when the process ends or 60 s pass before that.
    func wait(until condition: () -> Bool) {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            guard process.isRunning, ContinuousClock.now < deadline else {
                Issue.record("the program ended or stood still before what the test waits for")
                return
            }
            usleep(20_000)
        }
    }
}
