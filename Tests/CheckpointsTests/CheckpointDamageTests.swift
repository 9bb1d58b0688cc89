import Failures
import Foundation
import Glibc
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

@Suite struct CheckpointDamageTests {
    enum Damage: String, CaseIterable {
        case removed, emptied, truncated, lengthened, firstByte, middleByte, lastByte, directory, link
    }

    static let files = CheckpointFile.required + [CheckpointFile.manifest]

    private func apply(_ damage: Damage, to path: String, in run: Run) throws {
        var data = try run.read(path)
        switch damage {
        case .removed: return try FileManager.default.removeItem(atPath: path)
        case .emptied: data = Data()
        case .truncated: data.removeLast()
        case .lengthened: data.append(UInt8(ascii: "x"))
        case .firstByte: data[0] ^= 1
        case .middleByte: data[data.count / 2] ^= 0x11
        case .lastByte: data[data.count - 1] ^= 0x11
        case .directory:
            try FileManager.default.removeItem(atPath: path)
            return try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case .link:
            let outside = run.root.file("outside")
            try FileManager.default.moveItem(atPath: path, toPath: outside)
            return try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: outside)
        }
        try run.write(path, data)
    }

    @Test(arguments: files, Damage.allCases)
    func `a torn checkpoint is refused by the name of its file, and the one before it is taken`(
        _ name: String, _ damage: Damage
    ) throws {
        // A manifest that is reached through a link is still valid, and so are the files beside it.
        if name == CheckpointFile.manifest, damage == .link { return }
        let run = try Run()
        try run.store.save(contents(step: 100))
        try run.store.save(contents(step: 200))
        try apply(damage, to: run.file(200, name), in: run)
        let (checkpoint, refusals) = try run.store.newestIntact()
        #expect(checkpoint?.step == 100)
        #expect(refusals.map(\.path) == [run.store.path(step: 200)])
        let reason = try #require(refusals.first).reason
        #expect(reason.contains(run.file(200, name)) || reason.contains("no \(name)"), "\(reason)")
        #expect(reason.contains("step-00000200"))
        let refusal = failure { _ = try run.store.open(.link(.last)) }
        #expect(refusal?.message == reason)
        try expectIntact(run.store, step: 100)
    }

    @Test func `every changed byte of the manifest that changes its meaning is noticed`() throws {
        let run = try Run()
        let checkpoint = try run.store.save(contents(step: 100))
        let path = run.file(100, CheckpointFile.manifest)
        let original = try run.read(path)
        var refused = 0
        for index in original.indices {
            var data = original
            data[index] ^= 1
            try run.write(path, data)
            if let read = try? run.store.open(.step(100)) {
                #expect(read.manifest == checkpoint.manifest, "byte \(index)")
            } else {
                refused += 1
            }
        }
        #expect(refused > original.count / 2)
    }

    @Test func `with all checkpoints torn there is none, and each is reported newest first`() throws {
        let run = try Run()
        for step in [1, 2, 3] {
            try run.store.save(contents(step: step))
            try #require(truncate(run.file(step, "optimizer.safetensors"), 40) == 0)
        }
        let (checkpoint, refusals) = try run.store.newestIntact()
        #expect(checkpoint == nil)
        #expect(refusals.map(\.path) == [3, 2, 1].map(run.store.path(step:)))
    }

    @Test(arguments: [
        "../outside", "/etc/passwd", "a/../../outside", "./state.json", "adapter//x", "", "..", "adapter/",
        // For Swift a "/" with a combining mark is one character and not a "/"; for the system it ends a directory's name.
        "../\u{338}outside", "/\u{338}outside",
    ])
    func `a manifest that lists a file outside is refused by that name`(_ name: String) throws {
        let run = try Run()
        let checkpoint = try run.store.save(contents(step: 4))
        try run.write(run.store.directory + "/outside", Data("x".utf8))
        var files = checkpoint.manifest.files
        files[name] = files[CheckpointFile.state]
        try FileManager.default.removeItem(atPath: run.file(4, CheckpointFile.manifest))
        try Manifest(step: 4, files: files, dependsOn: [:]).write(into: checkpoint.path)
        let refusal = failure { _ = try run.store.open(.step(4)) }
        #expect(refusal?.code == .badData)
        #expect(refusal?.message.contains("lists '\(name)', which is not the path of a file inside") == true)
    }

    @Test func `a directory that is a link is refused`() throws {
        let run = try Run()
        try run.store.save(contents(step: 4))
        let outside = run.root.file("outside")
        try FileManager.default.moveItem(atPath: run.file(4, "adapter"), toPath: outside)
        try FileManager.default.createSymbolicLink(atPath: run.file(4, "adapter"), withDestinationPath: outside)
        let refusal = failure { _ = try run.store.open(.step(4)) }
        #expect(refusal?.message.contains(run.file(4, "adapter") + " is a symbolic link") == true)
    }

    @Test func `a step that is a link is refused and the one before taken`() throws {
        let run = try Run()
        for step in [4, 8] { try run.store.save(contents(step: step)) }
        let outside = run.root.file("outside")
        try FileManager.default.moveItem(atPath: run.store.path(step: 8), toPath: outside)
        try FileManager.default.createSymbolicLink(atPath: run.store.path(step: 8), withDestinationPath: outside)
        let (checkpoint, refusals) = try run.store.newestIntact()
        #expect(checkpoint?.step == 4)
        #expect(refusals.map(\.path) == [run.store.path(step: 8)])
        #expect(
            refusals.first?.reason.contains("is a symbolic link or a file, which a run's own checkpoint never") == true)
        // A user who names the place explicitly gets it.
        #expect(try run.store.open(.path(run.store.path(step: 8))).step == 8)
    }

    @Test(arguments: CheckpointFile.required)
    func `a manifest without one of the files is refused`(_ name: String) throws {
        let run = try Run()
        let checkpoint = try run.store.save(contents(step: 4))
        var files = checkpoint.manifest.files
        files[name] = nil
        try FileManager.default.removeItem(atPath: run.file(4, CheckpointFile.manifest))
        try Manifest(step: 4, files: files, dependsOn: [:]).write(into: checkpoint.path)
        #expect(failure { _ = try run.store.open(.step(4)) }?.message.contains("does not list \(name)") == true)
    }

    @Test func `a checkpoint under another step's name is refused`() throws {
        let run = try Run()
        try run.store.save(contents(step: 4))
        try FileManager.default.moveItem(atPath: run.store.path(step: 4), toPath: run.store.path(step: 5))
        #expect(failure { _ = try run.store.open(.step(5)) }?.message.contains("is of step 4") == true)
    }

    @Test func `a checkpoint of a later format is refused as one`() throws {
        let run = try Run()
        try run.store.save(contents(step: 4))
        let path = run.file(4, CheckpointFile.manifest)
        let text = String(decoding: try run.read(path), as: UTF8.self)
        try run.write(path, Data(text.replacingOccurrences(of: "\"format\" : 1", with: "\"format\" : 2").utf8))
        #expect(failure { _ = try run.store.open(.step(4)) }?.message.contains("is of checkpoint format 2") == true)
    }
}
