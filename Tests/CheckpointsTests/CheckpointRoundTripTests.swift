import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct CheckpointRoundTripTests {
    @Test func `what is saved is loaded bit for bit, and stands where users look`() throws {
        let run = try Run()
        try run.store.save(contents(step: 1_000))
        try expectIntact(run.store, step: 1_000)
        #expect(try run.names() == ["last", "step-00001000"])
        let files = try FileManager.default.subpathsOfDirectory(atPath: run.store.path(step: 1_000)).sorted()
        #expect(
            files == [
                "MANIFEST.json", "adapter", "adapter/unolora_config.json", "adapter/unolora_model.safetensors",
                "optimizer.safetensors", "state.json",
            ])
        let adapter = try SafetensorsFile(path: run.file(1_000, "adapter/unolora_model.safetensors"))
        #expect(adapter.tensors.map(\.name) == layout.entries.map(\.name))
        #expect(adapter.tensors.map(\.shape) == layout.entries.map(\.shape))
        let optimizer = try SafetensorsFile(path: run.file(1_000, "optimizer.safetensors"))
        #expect(
            optimizer.tensors.map(\.name) == layout.entries.map { "m." + $0.name }
                + layout.entries.map { "v." + $0.name })
    }

    @Test func `moments may be of some of the tensors, or of some rows, and the weights are whole`() throws {
        let run = try Run()
        var moments = ParameterLayout()
        moments.append("encoder.q.lora_B.weight", [2, 2])
        moments.append("scale", [3])
        var saved = contents(step: 4)
        saved.momentLayout = moments
        #expect(failure { try run.store.save(saved) }?.code == .internal)
        saved.firstMoments = arena(moments, seed: 1).readOnly
        saved.secondMoments = arena(moments, seed: 2).readOnly
        try run.store.save(saved)
        let checkpoint = try run.store.open(.step(4))
        let (weights, first, second) = (
            Arena(count: layout.count), Arena(count: moments.count), Arena(count: moments.count)
        )
        try checkpoint.loadWeights(layout, into: weights)
        try checkpoint.loadMoments(moments, first: first, second: second)
        #expect(Array(weights.elements) == Array(saved.weights.elements))
        #expect(Array(first.elements) == Array(saved.firstMoments.elements))
        #expect(Array(second.elements) == Array(saved.secondMoments.elements))
        // Those of a run that trains everything are others.
        let whole = (Arena(count: layout.count), Arena(count: layout.count))
        let refused = failure { try checkpoint.loadMoments(layout, first: whole.0, second: whole.1) }
        #expect(refused?.code == .badData && refused?.message.contains("m.encoder.q.lora_A.weight") == true)
        let bad = arena(moments, seed: 1)
        bad.base[moments.count - 1] = .nan
        saved.secondMoments = bad.readOnly
        saved.step = 5
        #expect(failure { try run.store.save(saved) }?.message.contains("'scale' (second moments)") == true)
    }

    @Test func `the same contents give the same bytes`() throws {
        let runs = [try Run(), try Run()]
        for run in runs { try run.store.save(contents(step: 3)) }
        for name in CheckpointFile.required + [CheckpointFile.manifest] {
            #expect(try runs[0].read(runs[0].file(3, name)) == runs[1].read(runs[1].file(3, name)))
        }
    }

    @Test func `a method without trainable tensors has checkpoints too`() throws {
        let run = try Run()
        let empty = ParameterLayout()
        try run.store.save(contents(step: 0, layout: empty))
        try expectIntact(run.store, step: 0, layout: empty)
    }

    @Test func `links are relative, follow the saves and survive moving the run`() throws {
        let run = try Run()
        try run.store.save(contents(step: 10))
        try run.store.point(.best, at: 10)
        try run.store.save(contents(step: 20))
        #expect(run.store.step(of: .best) == 10)
        #expect(run.store.step(of: .last) == 20)
        #expect(try run.store.open(.link(.best)).step == 10)
        #expect(try run.store.open(.link(.last)).step == 20)
        let moved = run.root.path + "-moved"
        try FileManager.default.moveItem(atPath: run.root.path, toPath: moved)
        defer { try? FileManager.default.removeItem(atPath: moved) }
        #expect(try CheckpointStore(runDirectory: moved).open(.link(.best)).step == 10)
        #expect(try Checkpoint(path: moved + "/checkpoints/last").step == 20)
    }

    @Test func `a checkpoint is opened by its path`() throws {
        let run = try Run()
        try run.store.save(contents(step: 7))
        let elsewhere = run.root.file("copy")
        try FileManager.default.copyItem(atPath: run.store.path(step: 7), toPath: elsewhere)
        #expect(try run.store.open(.path(elsewhere)).step == 7)
    }

    @Test func `what is absent is refused with the choices`() throws {
        let run = try Run()
        #expect(try run.store.newestIntact().checkpoint == nil)
        #expect(
            failure { _ = try run.store.open(.link(.best)) }?.message.contains("there are none in this run") == true)
        try run.store.save(contents(step: 5))
        try run.store.save(contents(step: 6))
        let absent = failure { _ = try run.store.open(.step(9)) }
        #expect(absent?.code == .inputMissing)
        #expect(absent?.message.contains("no checkpoint of step 9") == true)
        #expect(absent?.message.contains("choose last, or one of the steps 5, 6") == true)
        #expect(failure { _ = try run.store.open(.path(run.root.file("absent"))) }?.code == .inputMissing)
        let noRun = CheckpointStore(runDirectory: run.root.file("no-run"))
        #expect(try noRun.newestIntact().checkpoint == nil)
    }

    @Test func `steps beyond eight digits have names in order`() {
        #expect(CheckpointStore.name(step: 1_000) == "step-00001000")
        for step in [0, 99_999_999, 100_000_000, 123_456_789_012] {
            #expect(CheckpointStore.step(name: CheckpointStore.name(step: step)) == step)
        }
        for name in [
            "step-1000", "step-0000100x", "step--0000001", "step-+0001000", "step-", "last", ".step-00001000.tmp",
        ] {
            #expect(CheckpointStore.step(name: name) == nil)
        }
    }

    @Test func `loading into another layout names the tensor and touches nothing`() throws {
        let run = try Run()
        let checkpoint = try run.store.save(contents(step: 1))
        func refusal(_ entries: [(String, [Int])]) -> String {
            var other = ParameterLayout()
            for (name, shape) in entries { other.append(name, shape) }
            let arena = Arena(count: other.count)
            let message = failure { try checkpoint.loadWeights(other, into: arena) }?.message ?? ""
            #expect(arena.elements.allSatisfy { $0 == 0 })
            let moments = (Arena(count: other.count), Arena(count: other.count))
            #expect(
                failure { try checkpoint.loadMoments(other, first: moments.0, second: moments.1) }?.code == .badData)
            return message
        }
        let (a, b, scale) = (("encoder.q.lora_A.weight", [2, 5]), ("encoder.q.lora_B.weight", [5, 2]), ("scale", [3]))
        #expect(refusal([a, b, scale, ("more", [1])]).contains("has no tensor 'more'"))
        #expect(refusal([a, b]).contains("holds tensor 'scale', which the configured method does not have"))
        #expect(refusal([(a.0, [5, 2]), b, scale]).contains("'encoder.q.lora_A.weight' of "))
        #expect(
            refusal([(a.0, [5, 2]), b, scale]).contains("has shape [2, 5] but the configured method needs [5, 2]"))
    }
}
