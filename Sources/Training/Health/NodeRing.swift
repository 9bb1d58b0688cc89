import Failures
import Foundation
import MPI
import Synchronization

/// Signs of life between nodes: the first rank of each node sends one every second to the first rank of the next node, and
/// expects one from the previous node. So a host that is cut off is noticed by another host, and each host needs only two small
/// messages per second, however many hosts there are.
///
/// It has a separate thread, since MPI may block it, and exists only if the library lets several threads call it.
final class NodeRing: @unchecked Sendable {
    /// Called when the previous node is silent for too long.
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

    /// Starts the ring on the first rank of each node, if there are several nodes; collective over `world`.
    ///
    /// - Parameters:
    ///   - limit: the longest silence, in nanoseconds; 0 for no limit.
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
            // If MPI fails here, it also fails in the collectives, which report that.
            try? turn()
            left.signal()
        }
        thread.name = "ring"
        thread.start()
    }

    /// Ends the ring after a last message that says so. Not collective.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        left.wait()
    }

    /// A message has two words: whether it is the last one, and how many consecutive nodes do nothing but wait.
    private func receive(_ rank: Int) throws(Failure) -> Message { try leaders.receive(count: 2, from: rank) }

    private func turn() throws(Failure) {
        let (before, after) = ((leaders.rank + leaders.size - 1) % leaders.size, (leaders.rank + 1) % leaders.size)
        var incoming: Message? = try receive(before)
        var outgoing: Message?
        var (heard, sent, looked) = (HealthBoard.now, Int64(0), HealthBoard.now)
        // The number of consecutive nodes before this one in the ring that do nothing but wait.
        var idleBefore = 0
        while true {
            let now = HealthBoard.now
            // This process was stopped itself, so silence during that time proves nothing.
            if now - looked > Self.interval { heard = now }
            looked = now
            let isLast = isStopped.load(ordering: .acquiring)
            if try outgoing?.isComplete() ?? true, now - sent >= Self.interval || isLast {
                let isIdle = limit() > 0 && idle() > limit()
                // Two rounds are needed: in the second one every node has confirmed that it still waits after all nodes were
                // waiting.
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
                    "rank \(worldRanks[before]) on \(hosts[before]) is stopped, hangs or is cut off: no sign of life for "
                        + "\(silence / 1_000_000_000) s, longer than parallel.stallTimeout allows")
                return
            }
            usleep(50_000)
        }
        // All ranks stop together, so the last message of the previous node is on its way; a lost node sends none.
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
