import MPI

/// Evaluates the table of a node: which rank is lost, and whether any rank works at all.
///
/// All times are in nanoseconds of the node's clock. `since` is when the calling process last continued after it was stopped
/// itself; times before that prove nothing.
struct LifeSigns: Sendable {
    private let board: HealthBoard
    private let host: String
    /// Whether the job has no other node.
    private let isWholeJob: Bool

    init(_ board: HealthBoard, host: String, isWholeJob: Bool) {
        self.board = board
        self.host = host
        self.isWholeJob = isWholeJob
    }

    /// A sentence about a rank of the node that died or made no progress for longer than `limit` (0: no limit), or about a
    /// job in which every rank has waited for the others for that long.
    func lost(_ now: Int64, since awake: Int64, limit: Int64) -> String? {
        for rank in board.worldRanks.indices where board[.done, rank] == 0 {
            if rank != board.node.rank, board.isDead(rank) { return died(rank) }
            guard limit > 0 else { continue }
            let watched = now - max(board[.watched, rank], awake)
            let progressed = now - max(board[.progressed, rank], awake)
            if max(watched, progressed) > limit {
                let seconds = max(watched, progressed) / 1_000_000_000
                let state = watched > limit / 2 ? "has been stopped" : "has made no progress"
                return "\(name(rank)) \(state) for \(seconds) s, longer than parallel.stallTimeout allows"
            }
        }
        // With several nodes, the ring combines the answers of all nodes.
        let idle = idle(now, since: awake)
        return limit > 0 && idle > limit && isWholeJob && board.node.size > 1 ? Self.everybodyWaits(idle) : nil
    }

    /// For how long all ranks of the node have done nothing but wait for other ranks.
    func idle(_ now: Int64, since awake: Int64) -> Int64 {
        board.worldRanks.indices.map { board[.done, $0] == 1 ? 0 : now - max(board[.worked, $0], awake) }.min() ?? 0
    }

    /// The sentence about a rank of the node whose process is gone.
    func died(_ rank: Int) -> String { "\(name(rank)) died" }

    /// The sentence when no rank is to blame.
    static func everybodyWaits(_ nanoseconds: Int64) -> String {
        "all ranks have waited for each other for \(nanoseconds / 1_000_000_000) s, longer than parallel.stallTimeout "
            + "allows; a message between them was lost"
    }

    private func name(_ rank: Int) -> String { "rank \(board.worldRanks[rank]) on \(host)" }
}
