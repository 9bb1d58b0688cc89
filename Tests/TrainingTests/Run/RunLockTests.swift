import Failures
import Foundation
import TestSupport
import Testing

@testable import Training

@Suite struct RunLockTests {
    @Test func `a run directory in use is refused with its holder, and free when the holder is gone`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        var first: RunLock? = try RunLock(run)
        let failure = try withExtendedLifetime(first) {
            try #require(throws: Failure.self) { try RunLock(run, patience: .zero) }
        }
        #expect(failure.code == .cannotWrite)
        let name = ProcessInfo.processInfo.hostName
        #expect(failure.message.contains("\(run.path) is in use by process \(getpid()) on \(name); "))
        #expect(failure.message.contains("--out"))
        first = nil
        let second = try RunLock(run, patience: .zero)
        withExtendedLifetime(second) {}
    }

    @Test func `a job that is just ending is waited for`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        let ended = DispatchSemaphore(value: 0)
        Thread {
            let lock = try? RunLock(run)
            _ = try? directory.write("taken", "")
            usleep(300_000)
            withExtendedLifetime(lock) {}
            ended.signal()
        }.start()
        while !FileManager.default.fileExists(atPath: directory.file("taken")) { usleep(1_000) }
        let next = try RunLock(run, patience: .seconds(30))
        withExtendedLifetime(next) {}
        ended.wait()
    }

    @Test func `a lock that goes with its file is waited for, and then is another file's`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        @Sendable func temporary() throws -> RunLock {
            try RunLock(run, name: "own", isTemporary: true, patience: .seconds(30))
        }
        let ended = DispatchSemaphore(value: 0)
        // No task: those have as many threads as there are cores, and this test holds one of them.
        Thread {
            let lock = try? temporary()
            _ = try? directory.write("taken", "")
            usleep(300_000)
            withExtendedLifetime(lock) {}
            ended.signal()
        }.start()
        while !FileManager.default.fileExists(atPath: directory.file("taken")) { usleep(1_000) }
        var next: RunLock? = try temporary()
        ended.wait()
        // What is waited for and then had must keep others out, not be a file without a name.
        let refusal = withExtendedLifetime(next) {
            #expect(throws: Failure.self) { try RunLock(run, name: "own", patience: .zero) }
        }
        #expect(refusal?.code == .cannotWrite)
        next = nil
        #expect(!FileManager.default.fileExists(atPath: directory.file("own")))
    }

    @Test func `where no lock can be made a run goes on without`() throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<2 { _ = try RunLock(RunDirectory(directory.file("nowhere")), patience: .zero) }
    }
}
