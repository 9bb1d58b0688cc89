import MPI
import Testing

@testable import Training

/// Which rank is lost, judged by the table of a node's ranks.
@MainActor @Suite(.serialized) struct LifeSignsTests {
    let world: Communicator

    init() throws { world = try TestWorld.world }

    private static let second: Int64 = 1_000_000_000

    /// A table in which all ranks are alive and well at `now`.
    private func board() throws -> (board: HealthBoard, signs: LifeSigns, now: Int64) {
        let board = try HealthBoard(world, world: world)
        // The time is the same on all ranks, and later than that which each rank writes at its start.
        let now = try world.allReduce(.maximum, HealthBoard.now) + 1_000 * Self.second
        for entry in [HealthBoard.Entry.watched, .progressed, .worked] {
            board[entry, world.rank] = now - Self.second
        }
        try world.barrier()
        return (board, LifeSigns(board, host: "h", isWholeJob: true), now)
    }

    @Test func `nobody is lost while somebody works`() throws {
        let (board, signs, now) = try board()
        if world.rank > 0 { board[.worked, world.rank] = now - 500 * Self.second }
        try world.barrier()
        #expect(signs.lost(now, since: 0, limit: 60 * Self.second) == nil)
        #expect(signs.idle(now, since: 0) == Self.second)
        try world.barrier()
    }

    @Test func `a job in which every rank waits for the others is at an end`() throws {
        let (board, signs, now) = try board()
        board[.worked, world.rank] = now - Int64(61 + world.rank) * Self.second
        try world.barrier()
        #expect(signs.idle(now, since: 0) == 61 * Self.second)
        let sentence = signs.lost(now, since: 0, limit: 60 * Self.second)
        // A single rank waits for nobody.
        #expect((sentence ?? "").hasPrefix(world.size > 1 ? "all ranks have waited for each other for 61 s" : ""))
        #expect((sentence != nil) == (world.size > 1))
        // Nothing is reported without a limit, if this process was stopped itself, or for one node among several.
        #expect(signs.lost(now, since: 0, limit: 0) == nil)
        #expect(signs.lost(now, since: now - Self.second, limit: 60 * Self.second) == nil)
        let part = LifeSigns(board, host: "h", isWholeJob: false)
        #expect(part.lost(now, since: 0, limit: 60 * Self.second) == nil)
        try world.barrier()
    }

    @Test func `a rank that stands still and one whose watcher does too are told apart`() throws {
        let (board, signs, now) = try board()
        let last = world.size - 1
        if world.rank == last { board[.progressed, last] = now - 62 * Self.second }
        try world.barrier()
        #expect(
            signs.lost(now, since: 0, limit: 60 * Self.second)
                == "rank \(last) on h has made no progress for 62 s, longer than parallel.stallTimeout allows")
        try world.barrier()
        if world.rank == last { board[.watched, last] = now - 63 * Self.second }
        try world.barrier()
        #expect(
            signs.lost(now, since: 0, limit: 60 * Self.second)
                == "rank \(last) on h has been stopped for 63 s, longer than parallel.stallTimeout allows")
        try world.barrier()
        if world.rank == last { board[.done, last] = 1 }
        try world.barrier()
        #expect(signs.lost(now, since: 0, limit: 60 * Self.second) == nil)
        try world.barrier()
    }
}
