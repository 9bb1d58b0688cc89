import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct RunWatchTests {
    private let directory: TemporaryDirectory
    private let run: RunDirectory

    init() throws {
        directory = try TemporaryDirectory()
        run = RunDirectory(directory.path)
    }

    /// A watch whose looks the macros can call.
    private final class Watch {
        private var watch: RunWatch

        init(_ run: RunDirectory) { watch = RunWatch(run) }

        func isHeld() -> Bool { watch.isHeld() }
    }

    private func leave(_ change: (inout LeaseHolder) -> Void) throws {
        var holder = LeaseHolder.ofThisProcess()
        change(&holder)
        let path = RunLock.leasePath(of: run.lock)
        close(try #require(try LeaseFile.replace(holder.text + "renewed 0\n", at: path)))
    }

    @Test func `a directory is held as long as a job has its lock, and a look changes nothing`() throws {
        let watch = Watch(run)
        #expect(!watch.isHeld())
        var lock: RunLock? = try RunLock(run)
        #expect(watch.isHeld() && watch.isHeld())
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(!watch.isHeld())
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [".lock"])
        let again = try RunLock(run, patience: .zero)
        withExtendedLifetime(again) {}
    }

    @Test func `without the lock's file the lease shows the job`() throws {
        let lock = try RunLock(run)
        #expect(unlink(run.lock) == 0)
        let watch = Watch(run)
        #expect(watch.isHeld())
        withExtendedLifetime(lock) {}
    }

    @Test func `a process of this machine that has ended holds nothing`() throws {
        try leave { $0.began += 1 }
        let watch = Watch(run)
        #expect(!watch.isHeld())
    }

    /// Nothing tells whether a process of another machine lives, until its lease has stood still for long enough.
    @Test func `a process of another machine holds its directory for the time being`() throws {
        try leave { $0.machine = "another" }
        let watch = Watch(run)
        #expect(watch.isHeld() && watch.isHeld())
    }
}
