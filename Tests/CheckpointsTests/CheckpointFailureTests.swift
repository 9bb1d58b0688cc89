import Failures
import Foundation
import Glibc
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

/// A layout whose optimiser file is much larger than the other files, so that a limit takes effect in its middle.
private let large: ParameterLayout = {
    var layout = ParameterLayout()
    layout.append("weight", [300, 100])
    return layout
}()

/// Makes every write beyond `bytes` of a file fail in this process; only for child processes of tests.
private func limitFileSize(_ bytes: Int) {
    var core = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(4), &core)
    var size = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
    setrlimit(__rlimit_resource_t(1), &size)
}

@Suite struct CheckpointFailureTests {
    /// As a job does that has lost the run directory and is about to notice it.
    @Test func `what is left of a checkpoint is removed though another job still writes into it`() throws {
        let directory = try TemporaryDirectory()
        let tree = directory.file("step.tmp")
        try makeDirectory(tree)
        let hasBegun = DispatchSemaphore(value: 0)
        let left = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            let end = ContinuousClock.now + .milliseconds(500)
            var number = 0
            while ContinuousClock.now < end {
                for _ in 0..<1000 {
                    mkdir(tree, 0o777)
                    close(open("\(tree)/\(number)", O_CREAT | O_WRONLY, 0o600))
                    number += 1
                }
                hasBegun.signal()
            }
            left.signal()
        }
        hasBegun.wait()
        try removeTree(tree)
        #expect(fileType(tree) == nil)
        left.wait()
    }

    @Test func `what cannot be removed is refused with the system's reason`() throws {
        // A file of the kernel, which not even root may remove.
        let failure = try #require(#expect(throws: Failure.self) { try removeTree("/proc/self/status") })
        #expect(failure.code == .cannotWrite && failure.message.hasPrefix("cannot remove /proc/self/status: "))
        #expect(failure.message.contains("Operation not permitted"), "\(failure.message)")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], ["weights", "first moments", "second moments"])
    func `a value that is not finite is refused by its tensor before anything is touched`(
        _ value: Float, _ part: String
    ) throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        var bad = contents(step: 20)
        let (weights, first, second) = (arena(layout, seed: 1), arena(layout, seed: 2), arena(layout, seed: 3))
        (bad.weights, bad.firstMoments, bad.secondMoments) = (weights.readOnly, first.readOnly, second.readOnly)
        let arena = try #require(["weights": weights, "first moments": first, "second moments": second][part])
        arena.base[13] = value
        let refusal = failure { try run.store.save(bad) }
        #expect(refusal?.code == .notFinite)
        #expect(
            refusal?.message.contains("element 3 of tensor 'encoder.q.lora_B.weight' (\(part)) is \(value)") == true)
        #expect(try run.names() == ["last", "step-00000010"])
        #expect(run.store.step(of: .last) == 10)
        weights.base[0] = .greatestFiniteMagnitude
        arena.base[13] = -.greatestFiniteMagnitude
        try run.store.save(bad)
    }

    @Test func `a directory that cannot be made or is none fails by name`() throws {
        let root = try TemporaryDirectory()
        try root.write("checkpoints", "a file in the way")
        let refusal = failure { try CheckpointStore(runDirectory: root.path).prepare() }
        #expect(refusal?.code == .cannotWrite)
        #expect(refusal?.message.contains(root.file("checkpoints")) == true)
        #expect(failure { try CheckpointStore(runDirectory: root.file("a/b")).prepare() }?.code == .cannotWrite)
        #expect(failure { try CheckpointStore(runDirectory: root.path).save(contents(step: 1)) }?.code == .cannotWrite)
    }

    @Test func `something else under the step's name is not destroyed`() throws {
        let run = try Run()
        try run.root.write("checkpoints/step-00000010", "a file of the user")
        try run.store.save(contents(step: 10))
        #expect(try run.names() == ["last", "step-00000010", "superseded-step-00000010-1"])
        let aside = run.store.directory + "/superseded-step-00000010-1"
        #expect(try run.read(aside) == Data("a file of the user".utf8))
    }

    @Test func `a write that fails in the middle leaves older checkpoints and links as they were`() async throws {
        let run = try Run()
        try run.store.save(contents(step: 10, layout: large))
        try run.store.point(.best, at: 10)
        await #expect(processExitsWith: .exitCode(ExitCode.cannotWrite.rawValue)) { [path = run.root.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            limitFileSize(150_000)
            let store = CheckpointStore(runDirectory: path)
            for step in [20, 10] {
                do throws(Failure) {
                    try store.save(contents(step: step, variant: 1, layout: large))
                    exit(1)
                } catch {
                    guard error.message.contains("optimizer.safetensors: File too large; raise the limit") else {
                        exit(2)
                    }
                    if step == 10 { exit(error.code.rawValue) }
                }
            }
        }
        #expect(try run.names() == ["best", "last", "step-00000010"])
        #expect(run.store.step(of: .last) == 10)
        try expectIntact(run.store, step: 10, layout: large)
    }

    @Test func `a process killed while it writes leaves an intact store that the next start cleans`() async throws {
        let run = try Run()
        try run.store.save(contents(step: 10, layout: large))
        await #expect(processExitsWith: .signal(SIGXFSZ)) { [path = run.root.path as String] in
            // The threads that run tests block signals.
            signal(SIGXFSZ, SIG_DFL)
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, SIGXFSZ)
            pthread_sigmask(SIG_UNBLOCK, &set, nil)
            limitFileSize(150_000)
            try CheckpointStore(runDirectory: path).save(contents(step: 20, layout: large))
        }
        let left = try run.names()
        #expect(left.count == 3 && left[0].hasPrefix(".step-00000020.") && left[0].hasSuffix(".tmp"), "\(left)")
        let (checkpoint, refusals) = try run.store.newestIntact()
        #expect(checkpoint?.step == 10)
        #expect(refusals.isEmpty)
        #expect(try run.store.prepare() == 20)
        #expect(try run.names() == ["last", "step-00000010"])
        #expect(try run.store.prepare() == nil)
        // What remains of the removal of an old checkpoint is nothing unfinished.
        try run.root.write("checkpoints/.step-00000005.A.tmp/state.json", "old")
        #expect(try run.store.prepare() == nil)
        try expectIntact(run.store, step: 10, layout: large)
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "mounting a small tmpfs needs root with the right to mount"))
    func `a full disk leaves older checkpoints and links as they were`() throws {
        let disk = try SmallDisk(kilobytes: 1_024)
        let store = CheckpointStore(runDirectory: disk.path)
        try store.prepare()
        try store.save(contents(step: 10, layout: large))
        try store.point(.best, at: 10)
        // A checkpoint has 360 KB: a second one fits, a third one does not.
        try store.save(contents(step: 20, layout: large))
        for step in [30, 20] {
            let refusal = failure { try store.save(contents(step: step, variant: 1, layout: large)) }
            #expect(refusal?.code == .cannotWrite)
            #expect(refusal?.message.contains("No space left on device; free space") == true)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: store.directory).sorted()
        #expect(names == ["best", "last", "step-00000010", "step-00000020"])
        #expect(store.step(of: .last) == 20)
        #expect(store.step(of: .best) == 10)
        try expectIntact(store, step: 10, layout: large)
        try expectIntact(store, step: 20, layout: large)
        try store.prune(keepingNewest: 1)
        try store.point(.best, at: 20)
        try store.prune(keepingNewest: 1)
        try store.save(contents(step: 30, layout: large))
        try expectIntact(store, step: 30, layout: large)
    }
}
