import Failures
import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct RunLockTests {
    /// Takes a lock on another thread, returns when it is taken, and releases it 300 ms later; the semaphore signals that.
    ///
    /// This is not a task: tasks have only as many threads as there are cores, and a waiting test occupies one of them.
    private static func hold(_ take: @escaping @Sendable () throws -> RunLock) -> DispatchSemaphore {
        let (taken, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        Thread {
            let lock = try? take()
            #expect(lock != nil)
            taken.signal()
            usleep(300_000)
            withExtendedLifetime(lock) {}
            ended.signal()
        }.start()
        taken.wait()
        return ended
    }

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
        let ended = Self.hold { try RunLock(run) }
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
        let ended = Self.hold(temporary)
        var next: RunLock? = try temporary()
        ended.wait()
        // A lock that was waited for must keep others out; it must not be on a file without a name.
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
