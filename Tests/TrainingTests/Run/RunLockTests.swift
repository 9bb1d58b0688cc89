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

    @Test func `a job that is just ending is waited for`() async throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        let ending = Task.detached {
            let lock = try RunLock(run)
            try directory.write("taken", "")
            usleep(300_000)
            withExtendedLifetime(lock) {}
        }
        while !FileManager.default.fileExists(atPath: directory.file("taken")) { usleep(1_000) }
        let next = try RunLock(run, patience: .seconds(30))
        withExtendedLifetime(next) {}
        try await ending.value
    }

    @Test func `where no lock can be made a run goes on without`() throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<2 { _ = try RunLock(RunDirectory(directory.file("nowhere")), patience: .zero) }
    }
}
