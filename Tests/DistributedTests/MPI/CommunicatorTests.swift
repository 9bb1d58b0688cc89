import Failures
import Testing

@testable import MPI

@MainActor @Suite(.serialized) struct CommunicatorTests {
    let world: Communicator

    init() throws { world = try TestWorld.world }

    @Test func `the environment grants funneled threads and names library and host`() throws {
        let started = try TestWorld.started
        #expect(started.threadLevel >= .funneled)
        #expect(started.library.contains("MPI"))
        #expect(!started.host.isEmpty)
    }

    @Test func `a second environment in one process is refused`() throws {
        do {
            let second = try MPIEnvironment(environment: [:])
            try second.finalize()
            Issue.record("accepted")
        } catch let failure {
            #expect(failure.code == .internal)
            #expect(failure.message.contains("started twice"))
        }
    }

    @Test func `integer sums are exact on every rank, also when a buffer is cut into parts`() throws {
        var world = world
        world.largestCount = 3
        let rank = Int64(world.rank)
        var values = (0..<10).map { (1 << 55) + rank * Int64($0) }
        try values.withUnsafeMutableBufferPointer { try world.allReduceSum($0) }
        let size = Int64(world.size)
        #expect(values == (0..<10).map { size << 55 + size * (size - 1) / 2 * $0 })
    }

    @Test func `minimum and maximum hold for every number type`() throws {
        let rank = world.rank
        let last = world.size - 1
        #expect(try world.allReduce(.minimum, Int64(-rank)) == Int64(-last))
        #expect(try world.allReduce(.maximum, UInt64.max - UInt64(rank)) == .max)
        #expect(try world.allReduce(.maximum, Float(rank) + 0.5) == Float(last) + 0.5)
        #expect(try world.allReduce(.minimum, Double(rank) + 0.25) == 0.25)
    }

    @Test func `float and double sums of small integers are exact`() throws {
        let sum = world.size * (world.size + 1) / 2
        #expect(try world.allReduce(.sum, Float(world.rank + 1)) == Float(sum))
        #expect(try world.allReduce(.sum, Double(world.rank + 1)) == Double(sum))
    }

    @Test func `an empty buffer is no collective at all`() throws {
        try world.allReduceSum(UnsafeMutableBufferPointer<Int64>(start: nil, count: 0))
    }

    @Test func `a reduction that waits by testing gives the same sum and reports a late rank`() throws {
        var world = world
        world.largestCount = 4
        var longest: Int64 = 0
        // On a busy machine rank 0 may be as late as the waiting rank; in one of these rounds it must not be.
        for delay in [60, 240, 960, 3840] where longest <= 2_000_000 {
            var values = [Int64](repeating: Int64(world.rank + 1), count: 9)
            var seen = Duration.zero
            try world.barrier()
            if world.rank == world.size - 1 {
                let start = ContinuousClock.now
                while ContinuousClock.now - start < .milliseconds(delay) {}
            }
            try values.withUnsafeMutableBufferPointer { buffer in
                try world.allReduce(.sum, buffer) { seen = max(seen, $0) }
            }
            #expect(values == [Int64](repeating: Int64(world.size * (world.size + 1) / 2), count: 9))
            let own = world.rank == 0 ? Int64(seen / .nanoseconds(1)) : 0
            longest = try world.size == 1 ? .max : world.allReduce(.maximum, own)
        }
        #expect(longest > 2_000_000, "nanoseconds")
    }

    @Test func `a broadcast overwrites fixed buffers from any root`() throws {
        var world = world
        world.largestCount = 5
        for root in 0..<world.size {
            var bytes = (0..<13).map { UInt8(world.rank == root ? $0 + root : 255) }
            try bytes.withUnsafeMutableBytes { try world.broadcast($0, from: root) }
            #expect(bytes == (0..<13).map { UInt8($0 + root) })
        }
    }

    @Test func `a broadcast carries any number of bytes, none included`() throws {
        let root = world.size - 1
        let text = Array("a line that only the last rank knows".utf8)
        #expect(try world.broadcast(world.rank == root ? text : [1], from: root) == text)
        #expect(try world.broadcast(world.rank == root ? [] : [1, 2], from: root) == [])
    }

    @Test func `words of all ranks arrive everywhere in the order of ranks`() throws {
        let gathered = try world.allGather([UInt64(world.rank), .max - UInt64(world.rank)])
        #expect(gathered == (0..<world.size).map { [UInt64($0), .max - UInt64($0)] })
    }

    @Test func `an exchange of unequal lengths is refused on every rank`() throws {
        let words = [UInt64](repeating: 7, count: world.rank + 1)
        guard world.size > 1 else {
            #expect(try world.allGather(words) == [[7]])
            return
        }
        let failure = try #require(throws: Failure.self) { _ = try world.allGather(words) }
        #expect(failure.code == .ranksDisagree)
        #expect(failure.message.contains("from 1 to \(world.size) words"))
    }

    @Test func `the root gathers bytes of unequal lengths, also in several rounds`() throws {
        func text(_ rank: Int) -> [UInt8] { (0..<rank * 7).map { UInt8(($0 + rank) % 251) } }
        for limit in [world.largestCount, 8 * world.size + 1] {
            var world = world
            world.largestCount = limit
            for root in Set([0, world.size - 1]).sorted() {
                let gathered = try world.gather(text(world.rank), to: root)
                #expect(gathered == (world.rank == root ? (0..<world.size).map(text) : []))
            }
        }
    }

    @Test func `a split makes groups by color and orders them by key`() throws {
        let part = try #require(try world.split(color: world.rank % 2, key: -world.rank))
        let members = (0..<world.size).filter { $0 % 2 == world.rank % 2 }
        #expect(part.size == members.count)
        #expect(part.rank == members.reversed().firstIndex(of: world.rank))
        let sum = try part.allReduce(.sum, Int64(world.rank))
        #expect(sum == Int64(members.reduce(0, +)))
        try part.free()
    }

    @Test func `a rank without a color gets no communicator`() throws {
        let part = try world.split(color: world.rank == 0 ? 0 : nil, key: 0)
        #expect((part != nil) == (world.rank == 0))
        if let part { #expect(part.size == 1) }
        try part?.free()
    }

    @Test func `an MPI error becomes a failure with MPI's own text`() throws {
        var byte: UInt8 = 0
        let failure = try #require(throws: Failure.self) {
            try withUnsafeMutableBytes(of: &byte) { try world.broadcast($0, from: world.size) }
        }
        #expect(failure.code == .internal)
        #expect(failure.message.hasPrefix("MPI cannot broadcast 1 bytes from rank \(world.size): "))
        // Open MPI names the error class, MPICH describes it.
        #expect(failure.message.contains("MPI_ERR_ROOT") || failure.message.contains("Invalid root"))
        #expect(!failure.message.contains("\n"))
    }
}
