import Foundation
import TestSupport
import Testing

@testable import Studies

@Suite struct ChildProcessTests {
    private static func wait(_ process: ChildProcess) -> ChildProcess.End? {
        for _ in 0..<600 {
            if let end = process.end { return end }
            usleep(50_000)
        }
        return nil
    }

    private let directory: TemporaryDirectory
    private let log: FileHandle

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("log", "")
        log = try #require(FileHandle(forWritingAtPath: directory.file("log")))
    }

    private func start(_ script: String, _ environment: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess("/bin/sh", ["-c", script], environment: environment, output: log.fileDescriptor)
    }

    @Test func `output, environment and code are the process's own`() throws {
        let process = try start(
            "echo \"a $B\"; echo c >&2; /bin/ls /proc/self/fd | /usr/bin/wc -l; exit 7", ["B": "b=1"])
        #expect(Self.wait(process) == .exit(7))
        // ls opens the directory beside its three standard files.
        #expect(try String(contentsOfFile: directory.file("log"), encoding: .utf8) == "a b=1\nc\n4\n")
    }

    /// A daemon that the process started may outlive it.
    @Test func `the end of a process does not wait for its descendants`() throws {
        let process = try start("/bin/sleep 20 & exit 3")
        let begun = ContinuousClock.now
        #expect(Self.wait(process) == .exit(3))
        #expect(begun.duration(to: .now) < .seconds(15))
    }

    @Test func `a signal reaches the process and is its end`() throws {
        let process = try start("/bin/sleep 100")
        #expect(process.end == nil)
        process.send(SIGTERM)
        #expect(Self.wait(process) == .signal(SIGTERM))
    }

    @Test func `a program that is not there is refused`() {
        #expect(throws: (any Error).self) {
            _ = try ChildProcess("/nowhere/program", [], environment: [:], output: log.fileDescriptor)
        }
    }
}
