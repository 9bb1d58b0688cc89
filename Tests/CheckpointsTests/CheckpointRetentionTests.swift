import Failures
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct CheckpointRetentionTests {
    private func runWithSteps(_ steps: [Int], best: Int) throws -> Run {
        let run = try Run()
        for step in steps {
            try run.store.save(contents(step: step))
            if step == best { try run.store.point(.best, at: step) }
        }
        return run
    }

    @Test func `the newest and the best are kept`() throws {
        let run = try runWithSteps([10, 20, 30, 40, 50], best: 20)
        #expect(try run.store.prune(keepingNewest: 2) == [30, 10])
        #expect(try run.names() == ["best", "last", "step-00000020", "step-00000040", "step-00000050"])
        for step in [20, 40, 50] { try expectIntact(run.store, step: step) }
        #expect(try run.store.prune(keepingNewest: 2) == [])
    }

    @Test func `keeping none still keeps the newest`() throws {
        let run = try runWithSteps([10, 20], best: 20)
        #expect(try run.store.prune(keepingNewest: 0) == [10])
        #expect(try run.names() == ["best", "last", "step-00000020"])
    }

    @Test func `the target of last is kept even when it is not the newest`() throws {
        let run = try runWithSteps([10, 20, 30], best: 30)
        try run.store.point(.last, at: 10)
        #expect(try run.store.prune(keepingNewest: 1) == [20])
        try expectIntact(run.store, step: 10)
    }

    @Test func `torn checkpoints do not displace intact ones`() throws {
        let run = try runWithSteps([10, 20, 30, 40], best: 40)
        try #require(truncate(run.file(30, "state.json"), 2) == 0)
        try FileManager.default.removeItem(atPath: run.file(40, CheckpointFile.manifest))
        #expect(try run.store.prune(keepingNewest: 2) == [])
        try run.store.save(contents(step: 50))
        #expect(try run.store.prune(keepingNewest: 2) == [10])
        #expect(try run.store.newestIntact().checkpoint?.step == 50)
        try expectIntact(run.store, step: 20)
    }

    @Test func `other files of the user are left alone`() throws {
        let run = try runWithSteps([10, 20], best: 20)
        try run.root.write("checkpoints/step-00000005-mine/notes.txt", "keep")
        try run.root.write("checkpoints/.hidden", "keep")
        try run.store.prune(keepingNewest: 1)
        try run.store.prepare()
        #expect(try run.names() == [".hidden", "best", "last", "step-00000005-mine", "step-00000020"])
    }

    @Test func `a link can be removed, and again`() throws {
        let run = try runWithSteps([10, 20], best: 10)
        try run.store.remove(.best)
        try run.store.remove(.best)
        #expect(try run.names() == ["last", "step-00000010", "step-00000020"])
        #expect(run.store.step(of: .best) == nil)
    }

    @Test func `a store holds its own checkpoints by whatever path, and no others`() throws {
        let (run, other) = (try runWithSteps([10, 20], best: 10), try runWithSteps([10], best: 10))
        let store = run.store
        for path in [store.path(step: 10), store.directory + "/best", store.directory + "/../checkpoints/best"] {
            #expect(try store.holds(Checkpoint(path: path)))
        }
        #expect(try !store.holds(other.store.open(.step(10))))
        // Checkpoints that were set aside belong to another course of training.
        try store.supersede(after: 10)
        #expect(try !store.holds(Checkpoint(path: store.directory + "/superseded-step-00000020-1")))
    }

    @Test func `superseded checkpoints no longer pass for the newest`() throws {
        let run = try runWithSteps([10, 20, 30], best: 30)
        #expect(try run.store.supersede(after: 10) == [20, 30])
        #expect(
            try run.names() == ["last", "step-00000010", "superseded-step-00000020-1", "superseded-step-00000030-1"])
        #expect(run.store.step(of: .last) == 10)
        #expect(try run.store.newestIntact().checkpoint?.step == 10)
        try run.store.save(contents(step: 20, variant: 5))
        try run.store.supersede(after: 10)
        #expect(try run.names().contains("superseded-step-00000020-2"))
        #expect(try Checkpoint(path: run.store.directory + "/superseded-step-00000030-1").step == 30)
    }

    /// The state after copying a run with a tool that follows links, or after a change by somebody who did not know the names.
    @Test func `what stands in place of a link or a checkpoint is put aside`() throws {
        let run = try runWithSteps([10], best: 10)
        let directory = run.store.directory
        for name in ["last", "best"] {
            try FileManager.default.removeItem(atPath: "\(directory)/\(name)")
            try FileManager.default.copyItem(atPath: "\(directory)/step-00000010", toPath: "\(directory)/\(name)")
        }
        try Data("mine".utf8).write(to: URL(fileURLWithPath: directory + "/step-00000020"))
        try run.store.save(contents(step: 20, variant: 5))
        try run.store.remove(.best)
        #expect(
            try run.names() == [
                "last", "step-00000010", "step-00000020", "superseded-best-1", "superseded-last-1",
                "superseded-step-00000020-1",
            ])
        #expect(run.store.step(of: .last) == 20)
        #expect(try Checkpoint(path: directory + "/superseded-best-1").step == 10)
        #expect(FileManager.default.contents(atPath: directory + "/superseded-step-00000020-1") == Data("mine".utf8))
    }

    @Test func `a link to nothing is refused`() throws {
        let run = try runWithSteps([10], best: 10)
        #expect(failure { try run.store.point(.best, at: 11) }?.code == .internal)
        #expect(run.store.step(of: .best) == 10)
    }
}
