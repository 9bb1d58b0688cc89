import Failures
import Foundation
import Testing

@testable import MPI

@MainActor @Suite(.serialized) struct ProcessorsTests {
    let world: Communicator

    init() throws { world = try TestWorld.world }

    @Test func `the processors of a node are those of its ranks`() throws {
        let all = try world.processors()
        #expect(all.count >= max(1, Processors.ofThisThread.count))
        #expect(AvailableCores.ofThisProcess().cores.count <= all.count)
    }

    /// Each rank first binds itself to one processor, like mpirun does, so that there is something to lend.
    @Test func `a rank has the processors of all while they are lent, and its own afterwards`() throws {
        let before = Processors.ofThisThread
        let all = try world.processors()
        try before.one(world.rank).lend { () throws(Failure) in
            let own = Processors.ofThisThread
            #expect(own.count == 1)
            let union = try world.processors()
            let inside = try union.lend { () throws(Failure) in Processors.ofThisThread }
            #expect(inside == union)
            #expect(Processors.ofThisThread == own)
            #expect(union.count == min(world.size, all.count))
        }
        #expect(Processors.ofThisThread == before)
    }

    @Test func `a failure gives the processors back`() throws {
        let before = Processors.ofThisThread
        #expect(throws: Failure.self) {
            try before.one(0).lend { () throws(Failure) in throw Failure(.internal, "here") }
        }
        #expect(Processors.ofThisThread == before)
    }

    @Test func `an idle barrier waits for the last rank`() throws {
        let clock = ContinuousClock()
        try world.barrier()
        let begun = clock.now
        // Half of the sleep allows for ranks that leave the first barrier late.
        if world.rank == world.size - 1 { Thread.sleep(forTimeInterval: 0.2) }
        try world.idleBarrier()
        #expect(clock.now - begun >= .milliseconds(100))
        try world.barrier()
    }
}
