import Foundation
import Synchronization
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

    /// One decision for many directories: a lease that somebody renews is held, one that nobody renews is not.
    @Test func `signs of life tell a job on another machine from one that was killed there`() throws {
        try leave { $0.machine = "another" }
        let abandoned = try TemporaryDirectory()
        let path = RunLock.leasePath(of: run.lock)
        let other = RunDirectory(abandoned.path)
        try FileManager.default.copyItem(atPath: path, toPath: RunLock.leasePath(of: other.lock))
        let free = try TemporaryDirectory()
        let isOver = Mutex(false)
        let text = try #require(FileManager.default.contents(atPath: path))
        Thread.detachNewThread {
            let file = FileHandle(forWritingAtPath: path)
            var count = 0
            while !isOver.withLock({ $0 }) {
                count += 1
                try? file?.seek(toOffset: UInt64(text.count))
                try? file?.write(contentsOf: Data("renewed \(count)\n".utf8))
                usleep(50_000)
            }
        }
        defer { isOver.withLock { $0 = true } }
        let held = RunWatch.held([run, other, RunDirectory(free.path)], limit: 3)
        #expect(held == [true, false, false])
    }
}
