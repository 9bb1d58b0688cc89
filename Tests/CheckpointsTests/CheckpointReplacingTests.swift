import Failures
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct CheckpointReplacingTests {
    @Test func `a step saved again replaces the old one`() throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        try run.store.point(.best, at: 10)
        try run.store.save(contents(step: 10, variant: 3))
        try expectIntact(run.store, step: 10, variant: 3)
        #expect(try run.names() == ["best", "last", "step-00000010"])
        #expect(try run.store.open(.link(.best)).step == 10)
    }

    @Test func `a step saved again with the same content stays in place`() throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        let before = try FileManager.default.attributesOfItem(atPath: run.store.path(step: 10))[.systemFileNumber]
        try run.store.save(contents(step: 10))
        let after = try FileManager.default.attributesOfItem(atPath: run.store.path(step: 10))[.systemFileNumber]
        #expect(before as? UInt64 == after as? UInt64 && before != nil)
        #expect(try run.names() == ["last", "step-00000010"])
    }

    @Test func `a torn checkpoint of the step is replaced`() throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        try FileManager.default.removeItem(atPath: run.file(10, CheckpointFile.manifest))
        try run.store.save(contents(step: 10))
        try expectIntact(run.store, step: 10)
        #expect(try run.names() == ["last", "step-00000010"])
    }

    @Test func `killed between the two renames, the old one is found at once and restored at the next start`() throws {
        let run = try Run()
        try run.store.save(contents(step: 5))
        try run.store.save(contents(step: 10))
        try #require(rename(run.store.path(step: 10), run.store.previousPath(step: 10)) == 0)
        try expectIntact(run.store, step: 10)
        #expect(try run.store.newestIntact().checkpoint?.step == 10)
        #expect(try run.store.open(.link(.last)).step == 10)
        try run.store.prepare()
        #expect(try run.names() == ["last", "step-00000005", "step-00000010"])
        try expectIntact(run.store, step: 10)
    }

    @Test func `killed after the second rename, the new one stays and the old one goes`() throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        try #require(rename(run.store.path(step: 10), run.store.previousPath(step: 10)) == 0)
        try FileManager.default.copyItem(
            atPath: run.store.previousPath(step: 10), toPath: run.root.file("old"))
        try FileManager.default.removeItem(atPath: run.store.previousPath(step: 10))
        try run.store.save(contents(step: 10, variant: 1))
        try FileManager.default.moveItem(atPath: run.root.file("old"), toPath: run.store.previousPath(step: 10))
        try run.store.prepare()
        #expect(try run.names() == ["last", "step-00000010"])
        try expectIntact(run.store, step: 10, variant: 1)
    }

    @Test func `when the disk lost the new one, the old one comes back`() throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        try FileManager.default.copyItem(
            atPath: run.store.path(step: 10), toPath: run.store.previousPath(step: 10))
        try #require(truncate(run.file(10, "optimizer.safetensors"), 9) == 0)
        try run.store.prepare()
        #expect(try run.names() == ["last", "step-00000010"])
        try expectIntact(run.store, step: 10)
    }

    @Test func `temporary directories and links of killed processes are removed at the next start`() throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        try run.root.write("checkpoints/.step-00000020.1B2C.tmp/adapter/unolora_config.json", "{")
        try run.root.write("checkpoints/.step-00000020.1B2C.tmp/optimizer.safetensors", "half")
        try FileManager.default.createSymbolicLink(
            atPath: run.store.directory + "/.last.77.tmp", withDestinationPath: "step-00000010")
        #expect(try run.store.newestIntact().checkpoint?.step == 10)
        try run.store.prepare()
        #expect(try run.names() == ["last", "step-00000010"])
        try expectIntact(run.store, step: 10)
    }

    @Test func `many threads may save the same step at the same time`() async throws {
        let run = try Run()
        let store = run.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for variant in 0..<8 {
                group.addTask { for _ in 0..<6 { try store.save(contents(step: 10, variant: variant % 3)) } }
            }
            try await group.waitForAll()
        }
        try run.store.prepare()
        #expect(try run.names() == ["last", "step-00000010"])
        let variant = try (0..<3).filter { variant in
            try run.store.open(.step(10)).state() == contents(step: 10, variant: variant).state
        }
        #expect(variant.count == 1)
        try expectIntact(run.store, step: 10, variant: variant[0])
    }

    @Test func `while a step is replaced a reader always finds an intact one`() async throws {
        let run = try Run()
        let store = run.store
        try store.save(contents(step: 10))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for variant in 1...60 { try store.save(contents(step: 10, variant: variant)) } }
            group.addTask {
                for _ in 0..<300 {
                    let found = try store.newestIntact().checkpoint
                    #expect(found?.step == 10)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `who holds the lock keeps others from changing names`() async throws {
        let run = try Run()
        let store = run.store
        try store.save(contents(step: 10))
        let order = try await withThrowingTaskGroup(of: ContinuousClock.Instant.self) { group in
            let released = try store.exclusively { () throws(Failure) in
                group.addTask {
                    try store.point(.best, at: 10)
                    return .now
                }
                usleep(200_000)
                #expect(store.step(of: .best) == nil)
                return ContinuousClock.now
            }
            return (released, try await group.next())
        }
        #expect(try #require(order.1) >= order.0)
        #expect(store.step(of: .best) == 10)
    }
}
