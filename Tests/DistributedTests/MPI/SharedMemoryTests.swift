import Failures
import Testing

@testable import MPI

@MainActor @Suite(.serialized) struct SharedMemoryTests {
    let node: Communicator

    init() throws { node = try TestWorld.world.nodeCommunicator() }

    @Test func `every rank of a node reads what the owner wrote`() throws {
        let byteCount = 3 << 20 | 5
        let memory = try node.allocateShared(byteCount: node.rank == 0 ? byteCount : 0)
        #expect(memory.bytes.count == byteCount)
        #expect(memory.isOwner == (node.rank == 0))
        for round in 1...3 {
            if memory.isOwner { for i in 0..<byteCount { memory.bytes[i] = UInt8(truncatingIfNeeded: i * round) } }
            try memory.synchronise()
            let wrong = (0..<byteCount).filter { memory.bytes[$0] != UInt8(truncatingIfNeeded: $0 * round) }.count
            #expect(wrong == 0)
            try memory.synchronise()
        }
        try memory.free()
        try node.free()
    }

    @Test func `shared memory of no bytes is refused`() throws {
        let failure = try #require(throws: Failure.self) {
            let memory = try node.allocateShared(byteCount: 0)
            try memory.free()
        }
        #expect(failure.message.contains("0 bytes"))
        try node.free()
    }

    @Test func `the ranks of a node divide its cores`() throws {
        let all = AvailableCores(cores: Set(0..<130), quota: nil)
        #expect(try node.fairShare(of: all) == max(1, 130 / node.size))
        let own = AvailableCores(cores: [node.rank * 2, node.rank * 2 + 1], quota: nil)
        #expect(try node.fairShare(of: own) == 2)
        let limited = AvailableCores(cores: Set(0..<130), quota: Double(node.size))
        #expect(try node.fairShare(of: limited) == 1)
        try node.free()
    }
}
