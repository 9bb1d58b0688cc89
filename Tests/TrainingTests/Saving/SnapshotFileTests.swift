import Foundation
import Tensors
import TestSupport
import Testing

@testable import Runs

@Suite struct SnapshotFileTests {
    private static func state(_ step: Int) -> RunState {
        RunState(
            step: step, steps: 9, seed: 1,
            identity: RunState.Identity(
                configuration: "", layout: "", backbone: "", data: "", origin: "o", newTasks: ["a", "b"]),
            best: nil, owesEvaluation: false, accumulator: MetricsAccumulator(tasks: 1), libraries: [:])
    }

    private static func arena(_ values: [Float]) -> Arena {
        let arena = Arena(count: values.count)
        for (i, value) in values.enumerated() { arena.base[i] = value }
        return arena
    }

    private static func values(_ arenas: [Arena]) -> [[Float]] { arenas.map { Array($0.elements) } }

    private static func parse(_ bytes: [UInt8]) -> (state: RunState, arenas: [Arena])? {
        bytes.withUnsafeBytes { SnapshotFile.parse($0, "snapshot") }
    }

    @Test func `what is written is read, with as many moments as are trained`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        let file = try SnapshotFile(run)
        for (step, moments) in [(1, [7, 8]), (2, []), (3, [1, 2, 3, 4, 5])] as [(Int, [Float])] {
            let arenas = [[1, 2, 3, 4, 5], moments, moments.map { -$0 }]
            try file.write(Self.state(step), arenas.map { Self.arena($0).readOnly })
            let left = try #require(SnapshotFile.left(run).newest)
            #expect(left.state == Self.state(step))
            #expect(Self.values(left.arenas) == arenas)
        }
        #expect(SnapshotFile.left(run).damaged.isEmpty)
    }

    @Test(arguments: [0, 1, 3])
    func `averages of the moments' size are read too`(count: Int) throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        let arenas = [[1, 2, 3], [4, 5], [6, 7]] + (0..<count).map { [Float($0), -Float($0)] }
        try SnapshotFile(run).write(Self.state(1), arenas.map { Self.arena($0).readOnly })
        let left = try #require(SnapshotFile.left(run).newest)
        #expect(Self.values(left.arenas) == arenas)
    }

    @Test func `a snapshot of an earlier version is read`() throws {
        let text = [UInt8](try Self.state(4).encoded())
        let arenas = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] as [[Float]]
        let words = [UInt64(4), UInt64(text.count), 3]
        var digest = ContentDigest.Accumulator()
        words.withUnsafeBytes { digest.update($0) }
        text.withUnsafeBytes { digest.update($0) }
        for values in arenas { values.withUnsafeBytes { digest.update($0) } }
        var bytes = Array("unolora snapshot 1\n".utf8) + [UInt8](repeating: 0, count: 5)
        for word in words + digest.digest.words { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        bytes += text
        for values in arenas { values.withUnsafeBytes { bytes += $0 } }
        let read = try #require(Self.parse(bytes))
        #expect(read.state == Self.state(4) && Self.values(read.arenas) == arenas)
        for place in [24, 40, 50, 64 + text.count, bytes.count - 1] {
            var damaged = bytes
            damaged[place] ^= 1
            #expect(Self.parse(damaged) == nil, "\(place)")
        }
        #expect(Self.parse(Array(bytes.dropLast())) == nil && Self.parse(Array(bytes.prefix(30))) == nil)
    }

    @Test func `no byte of a snapshot may change`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        let arenas = [Self.arena([1, 2]), Self.arena([3]), Self.arena([4])]
        try SnapshotFile(run).write(Self.state(5), arenas.map(\.readOnly))
        let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: SnapshotFile.paths(run)[0])))
        let size = try 80 + Self.state(5).encoded().count + 16
        #expect(whole.count >= size && Self.parse(Array(whole[..<size])) != nil)
        #expect(Self.parse(Array(whole[..<(size - 1)])) == nil)
        // The bytes between the version and the first word have no meaning.
        for place in Array(0..<19) + Array(24..<size) {
            var damaged = whole
            damaged[place] ^= 4
            #expect(Self.parse(damaged) == nil, "\(place)")
        }
    }
}
