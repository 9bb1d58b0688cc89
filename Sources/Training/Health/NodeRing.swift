import Failures
import Foundation
import MPI
import Synchronization

/// Signs of life between nodes: the first rank of each sends one to the next node's every second, and expects them from
/// the node before. So a host that is cut off is noticed by another one, however many there are, with two small messages
/// a second for each.
///
/// On a thread of its own, since MPI may hold it up. Only where the library lets several threads call it.
final class NodeRing: @unchecked Sendable {
    /// What to do when the node before is silent for too long.
    typealias Alarm = @Sendable (String) -> Void

    private let leaders: Communicator
    private let hosts: [String]
    private let worldRanks: [Int]
    private let limit: @Sendable () -> Int64
    private let idle: @Sendable () -> Int64
    private let alarm: Alarm
    private let isStopped = Atomic<Bool>(false)
    private let left = DispatchSemaphore(value: 0)

    private static let interval: Int64 = 1_000_000_000

    /// Starts it, on the first rank of each node where there are several; collective over `world`.
    ///
    /// - Parameters:
    ///   - limit: the longest silence, in nanoseconds; 0 for any.
    ///   - idle: for how long all ranks of this node have waited for others, in nanoseconds.
    init?(
        world: Communicator, node: Communicator, limit: @escaping @Sendable () -> Int64,
        idle: @escaping @Sendable () -> Int64, alarm: @escaping Alarm
    ) throws(Failure) {
        guard let leaders = try world.split(color: node.rank == 0 ? 0 : nil, key: world.rank), leaders.size > 1 else {
            return nil
        }
        self.leaders = leaders
        self.limit = limit
        self.idle = idle
        self.alarm = alarm
        hosts = try leaders.allGather(ProcessInfo.processInfo.hostName)
        worldRanks = try leaders.allGather([UInt64(world.rank)]).map { Int($0[0]) }
        let thread = Thread { [self] in
            // An MPI that fails here fails in the collectives too, which say so.
            try? turn()
            left.signal()
        }
        thread.name = "ring"
        thread.start()
    }

    /// Ends it, after a last message that says so. No collective.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        left.wait()
    }

    /// Two words: whether it is the last message, and how many nodes in a row only wait.
    private func receive(_ rank: Int) throws(Failure) -> Message { try leaders.receive(count: 2, from: rank) }

    private func turn() throws(Failure) {
        let (before, after) = ((leaders.rank + leaders.size - 1) % leaders.size, (leaders.rank + 1) % leaders.size)
        var incoming: Message? = try receive(before)
        var outgoing: Message?
        var (heard, sent, looked) = (HealthBoard.now, Int64(0), HealthBoard.now)
        // How many nodes in a row before this one only wait, around the ring.
        var idleBefore = 0
        while true {
            let now = HealthBoard.now
            // This process was stopped itself: what it did not hear meanwhile says nothing.
            if now - looked > Self.interval { heard = now }
            looked = now
            let isLast = isStopped.load(ordering: .acquiring)
            if try outgoing?.isComplete() ?? true, now - sent >= Self.interval || isLast {
                let isIdle = limit() > 0 && idle() > limit()
                // Twice around: each was asked again after all had been.
                if isIdle, idleBefore >= 2 * leaders.size { return alarm(LifeSigns.everybodyWaits(idle())) }
                outgoing = try leaders.send([isLast ? 1 : 0, isIdle ? UInt64(idleBefore + 1) : 0], to: after)
                sent = now
                if isLast { break }
            }
            while let message = incoming, try message.isComplete() {
                heard = now
                idleBefore = Int(message.content[1])
                incoming = message.content[0] == 1 ? nil : try receive(before)
            }
            let silence = now - heard
            if incoming != nil, limit() > 0, silence > limit() {
                alarm(
                    "rank \(worldRanks[before]) on \(hosts[before]) is stopped, hangs or is cut off: no sign of life since "
                        + "\(silence / 1_000_000_000) s, longer than parallel.stallTimeout allows")
                return
            }
            usleep(50_000)
        }
        // All ranks stop together, so the last message of the node before is on its way; whoever is lost sends none.
        let end = HealthBoard.now + 2 * Self.interval
        while HealthBoard.now < end {
            let isSent = try outgoing?.isComplete() ?? true
            if let message = incoming, try message.isComplete() {
                incoming = message.content[0] == 1 ? nil : try receive(before)
            }
            if isSent, incoming == nil { return }
            usleep(1_000)
        }
        try incoming?.cancel()
    }
}
