import Failures
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Runs

@Suite struct RunLeaseTests {
    private let directory: TemporaryDirectory
    private let path: String
    private static let timing = RunLease.Timing(renewal: 0.05, stale: 0.8, settling: 1)
    /// For cases in which no holder may count as silent, however busy the machine is.
    private static let patient = RunLease.Timing(renewal: 0.05, stale: 60, settling: 1)

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file(".lease")
    }

    private func take(
        patience: Duration = .zero, isAlone: Bool = false, timing: RunLease.Timing = timing,
        owner: RunOwner = RunOwner(),
        say: (String) -> Void = { _ in }
    ) throws -> RunLease {
        try RunLease(
            path, of: directory.path, owner: owner, isAlone: isAlone, timing: timing,
            deadline: .now + patience, say: say)
    }

    private func holder(_ change: (inout LeaseHolder) -> Void) -> LeaseHolder {
        var holder = LeaseHolder.ofThisProcess()
        change(&holder)
        return holder
    }

    /// Leaves another process's lease in the directory, in its last state.
    private func leave(_ holder: LeaseHolder, _ sign: Int = 0) throws {
        close(try #require(try LeaseFile.replace(holder.text + "renewed \(sign)\n", at: path)))
    }

    private var id: String? {
        if case .present(let content) = LeaseFile.look(at: path) { content.holder?.id } else { nil }
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory.path) }

    @Test func `a lease stands as long as it is held, and leaves nothing behind`() throws {
        var lease: RunLease? = try take()
        #expect(try names() == [".lease"] && id == lease?.id)
        lease = nil
        #expect(try names() == [])
    }

    @Test func `a holder that lives keeps the directory and is named`() throws {
        let lease = try take()
        let failure = try withExtendedLifetime(lease) {
            try #require(throws: Failure.self) { try take(patience: .milliseconds(300)) }
        }
        #expect(failure.code == .cannotWrite)
        let name = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
        #expect(failure.message.hasPrefix("the run directory \(directory.path) is in use by \(name); wait for its end"))
        #expect(id == lease.id)
        withExtendedLifetime(lease) {}
    }

    @Test func `a process that is gone from this machine is replaced at once`() throws {
        // A later process has the same number.
        try leave(holder { $0.began += 1 })
        let begun = ContinuousClock.now
        let lease = try take(isAlone: true, timing: Self.patient)
        #expect(begun.duration(to: .now) < .seconds(50) && id == lease.id)
        withExtendedLifetime(lease) {}
    }

    @Test func `what has changed in the last moment is not replaced`() throws {
        try leave(holder { $0.host = "elsewhere" })
        let before = id
        let replaced = try LeaseFile.replace("mine", at: path) { false }
        #expect(replaced == nil && id == before)
        #expect(try names() == [".lease"])
    }

    @Test func `a silent holder elsewhere is waited for, which is said, and then replaced`() throws {
        try leave(holder { $0.host = "elsewhere" })
        var said: [String] = []
        let begun = ContinuousClock.now
        let lease = try take()
        #expect(begun.duration(to: .now) >= .seconds(0.8) && id == lease.id)
        withExtendedLifetime(lease) {}
        var slow = Self.timing
        slow.stale = 1.5
        try leave(holder { $0.host = "elsewhere" })
        let second = try RunLease(
            path, of: directory.path, owner: RunOwner(), isAlone: true, timing: slow, deadline: .now
        ) { said.append($0) }
        withExtendedLifetime(second) {}
        #expect(
            said.first?.hasPrefix("process \(getpid()) on elsewhere holds \(directory.path)") == true
                && said.count == 1,
            "\(said)")
    }

    @Test func `a holder elsewhere that gives signs of life keeps the directory`() throws {
        let other = holder { $0.host = "elsewhere" }
        try leave(other)
        let (isOver, ended) = (Box(false), DispatchSemaphore(value: 0))
        let path = path
        Thread {
            let file = open(path, O_WRONLY)
            for count in 0..<10_000 where !isOver.value.withLock({ $0 }) {
                let sign = String(count % 10)
                _ = sign.withCString { pwrite(file, $0, 1, off_t((other.text + "renewed ").utf8.count)) }
                usleep(100_000)
            }
            close(file)
            ended.signal()
        }.start()
        let failure = #expect(throws: Failure.self) { try take(patience: .seconds(2), timing: Self.patient) }
        #expect(failure?.message.contains("is in use by process \(getpid()) on elsewhere; ") == true)
        isOver.value.withLock { $0 = true }
        ended.wait()
        #expect(id == other.id)
    }

    @Test func `who has lost the directory is told before he writes, and ends where he does not write`() throws {
        let owner = RunOwner()
        var lease: RunLease? = try take(owner: owner)
        let told = DispatchSemaphore(value: 0)
        lease?.whenLost { _ in told.signal() }
        try owner.check()
        let other = holder { $0.host = "elsewhere" }
        try leave(other)
        usleep(250_000)
        if case .lost(let failure) = owner.standing() {
            #expect(failure.code == .cannotWrite)
            #expect(
                failure.message.hasPrefix(
                    "the run directory \(directory.path) has been taken over by process \(getpid()) on elsewhere, "))
        } else {
            Issue.record("nobody has noticed")
        }
        #expect(told.wait(timeout: .now() + 20) == .success)
        #expect(throws: Failure.self) { try owner.check() }
        #expect(owner.hasTold)
        lease = nil
        #expect(id == other.id, "the other's lease was removed")
    }

    @Test func `a lease that somebody removed is there again`() throws {
        let owner = RunOwner()
        let lease = try take(owner: owner)
        unlink(path)
        try owner.check()
        for _ in 0..<200 where id == nil { usleep(20_000) }
        #expect(id == lease.id)
        try owner.check()
        withExtendedLifetime(lease) {}
    }

    /// The jobs have only the lease, no lock.
    @Test(arguments: 0..<4)
    func `of many that take over in the same moment one has it`(round: Int) throws {
        if round % 2 == 0 { try leave(holder { $0.host = "elsewhere" }) }
        let taken = Box<[String]>([])
        // This is longer than a thread on a busy machine waits for a core between its last look and the rename.
        var timing = Self.timing
        timing.settling = 5
        let settled = timing
        let (go, all, over) = (DispatchSemaphore(value: 0), DispatchGroup(), DispatchSemaphore(value: 0))
        let (path, directory) = (path, directory.path)
        for _ in 0..<6 {
            all.enter()
            Thread {
                go.wait()
                let lease = try? RunLease(
                    path, of: directory, owner: RunOwner(), isAlone: false, timing: settled,
                    deadline: .now + .seconds(5), say: { _ in })
                if let lease { taken.value.withLock { $0.append(lease.id) } }
                all.leave()
                over.wait()
                withExtendedLifetime(lease) {}
            }.start()
        }
        for _ in 0..<6 { go.signal() }
        all.wait()
        #expect(taken.value.withLock { $0 } == [id], "\(taken.value.withLock { $0 })")
        for _ in 0..<6 { over.signal() }
    }

    /// On another node, ranks may have a different directory at the same path, with files that an earlier job left.
    @Test func `a rank that never saw the lease of its job there is not told by another one`() throws {
        let other = holder { $0.host = "elsewhere" }
        try leave(other)
        let owner = RunOwner()
        owner.claims(directory.path, lease: path, id: "ours", isSeen: false)
        try owner.check()
        try leave(holder { $0.id = "ours" })
        guard case .ours = owner.standing() else {
            Issue.record("not seen")
            return
        }
        try leave(other)
        guard case .lost = owner.standing() else {
            Issue.record("not lost")
            return
        }
    }

    @Test func `a link, a pipe or a directory in its place is refused and left alone`() throws {
        let target = try directory.write("target", "mine")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        #expect(throws: Failure.self) { try take() }
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "mine")
        unlink(path)
        #expect(mkfifo(path, 0o600) == 0)
        #expect(throws: Failure.self) { try take() }
        unlink(path)
        #expect(mkdir(path, 0o700) == 0)
        #expect(throws: Failure.self) { try take() }
    }

    private func content(_ sign: Int) -> LeaseFile.Content {
        LeaseFile.Content(text: "\(sign)", file: 1, seconds: 0, nanoseconds: 0)
    }

    @Test func `silence is counted by looks that were answered`() {
        var watch = LeaseWatch(limit: 3)
        func look(_ sign: Int, _ now: Double) -> Bool { watch.look(content(sign), at: now) }
        #expect(!look(1, 0))
        // The file system or this process was stopped in between.
        #expect(!look(1, 1_000))
        #expect(!look(1, 1_000.9))
        #expect(!watch.hasChanged)
        #expect(!look(2, 1_001.8) && watch.hasChanged)
        for tenth in 1...28 { #expect(!look(2, 1_001.8 + 0.1 * Double(tenth))) }
        #expect(look(2, 1_004.9))
    }
}

/// A value that threads share.
private final class Box<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
}
