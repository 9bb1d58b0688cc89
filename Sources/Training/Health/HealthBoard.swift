import Failures
import Foundation
import MPI
import Synchronization

/// A table in memory shared by the ranks of a node, in which each rank shows its signs of life to the others.
///
/// A job ends through this table as follows. A rank that got a signal sets `signal`; so does a rank that found another one
/// lost, after it has set `finder` and `sentence`. Then no rank completes another step; each writes its last snapshot's step
/// and sets `frozen`. The live rank with the newest snapshot makes itself the `saver`. It saves, reports why the job ends, sets
/// `saved` and aborts the job. If it dies or takes too long, another rank takes its place. A rank with a failure of its own
/// sets `failing`, so that the others report nothing.
///
/// Every entry is one word that is written atomically, so no locks are needed: a rank may be stopped or killed at any moment.
///
/// Safe, since it keeps the memory and touches only the words of its ranks.
@safe final class HealthBoard: @unchecked Sendable {
    /// The words of a rank. Times are of the node's monotonic clock, in nanoseconds.
    enum Entry: Int, CaseIterable {
        /// Process id.
        case process
        /// When the rank's watching thread last ran.
        case watched
        /// When the rank last made progress or waited for other ranks.
        case progressed
        /// When the rank last made progress or waited for something outside the job.
        case worked
        /// Step of the rank's newest snapshot, plus 1; 0 for none.
        case snapshot
        /// 1 when that snapshot is the rank's last one, because a signal came.
        case frozen
        /// 1 when the rank does not watch any more because its work is done.
        case done
    }

    /// The words of the node.
    enum Word: Int, CaseIterable {
        /// Number of the signal that asks the ranks of the node to save and end; 0 for none.
        case signal
        /// Rank of the node that saves because of the signal, plus 1; 0 for none.
        case saver
        /// When that rank began to save.
        case savingSince
        /// 1 when the state is on the disk or cannot be saved.
        case saved
        /// 1 when a rank ends the job because of a failure that it reports itself.
        case failing
        /// Rank of the node that found a lost rank first, plus 1; 0 for none.
        case finder
        /// Number of bytes of the finder's sentence about the lost rank, once it is written.
        case sentence
    }

    /// The ranks of this node.
    let node: Communicator
    /// World ranks by rank of the node.
    let worldRanks: [Int]
    /// Whether ranks can see each other's processes: false when they are in separate containers.
    let seesProcesses: Bool
    private let memory: NodeMemory
    /// Largest number of bytes of a sentence.
    private static let sentenceSize = 512
    private let words: UnsafeMutablePointer<Atomic<Int64>>

    /// Makes the table; collective over `node`. Each rank passes its own world rank by `world`.
    init(_ node: Communicator, world: Communicator) throws(Failure) {
        self.node = node
        let count = Word.allCases.count + node.size * Entry.allCases.count
        let size = count * MemoryLayout<Int64>.stride + Self.sentenceSize
        memory = try NodeMemory(node, byteCount: size)
        unsafe words = memory.base.assumingMemoryBound(to: Atomic<Int64>.self)
        if memory.isWriter { unsafe memset(memory.base, 0, size) }
        try memory.publish()
        let space = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")) ?? ""
        let facts = try node.allGather([UInt64(world.rank), space.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }])
        worldRanks = facts.map { Int($0[0]) }
        seesProcesses = facts.allSatisfy { $0[1] == facts[0][1] && !space.isEmpty }
        self[.process, node.rank] = Int64(getpid())
        let now = Self.now
        self[.watched, node.rank] = now
        self[.progressed, node.rank] = now
        self[.worked, node.rank] = now
        try memory.publish()
    }

    /// The current time in nanoseconds, on the clock that all processes of a node share.
    static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// A word of the node.
    subscript(word: Word) -> Int64 {
        get { unsafe words[word.rawValue].load(ordering: .acquiring) }
        set { unsafe words[word.rawValue].store(newValue, ordering: .releasing) }
    }

    /// Atomically replaces the value `old` by `new`; returns false when the word has another value.
    func replace(_ word: Word, _ old: Int64, by new: Int64) -> Bool {
        unsafe words[word.rawValue].compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// A word of a rank of the node.
    subscript(entry: Entry, rank: Int) -> Int64 {
        get { unsafe words[place(entry, rank)].load(ordering: .acquiring) }
        set { unsafe words[place(entry, rank)].store(newValue, ordering: .releasing) }
    }

    private func place(_ entry: Entry, _ rank: Int) -> Int {
        precondition(rank >= 0 && rank <= node.size, "a rank that the node does not have")
        return Word.allCases.count + rank * Entry.allCases.count + entry.rawValue
    }

    /// The sentence about a lost rank; nil when no rank was found lost.
    var loss: String? {
        let count = Int(self[.sentence])
        return unsafe count == 0
            ? nil : String(decoding: UnsafeRawBufferPointer(start: text, count: count), as: UTF8.self)
    }

    /// Shows the sentence about a lost rank to the others; only the first one counts.
    func found(_ sentence: String) {
        guard replace(.finder, 0, by: Int64(node.rank + 1)) else { return }
        let bytes = Array(sentence.utf8.prefix(Self.sentenceSize))
        unsafe text.copyMemory(from: bytes, byteCount: bytes.count)
        self[.sentence] = Int64(bytes.count)
    }

    private var text: UnsafeMutableRawPointer {
        unsafe memory.base + place(.process, node.size) * MemoryLayout<Int64>.stride
    }

    /// Whether the process of a rank of the node is gone; false when that is unknown.
    func isDead(_ rank: Int) -> Bool {
        // If a rank has just shown life, the system call is not needed.
        guard seesProcesses, self[.done, rank] == 0, Self.now - self[.watched, rank] > 100_000_000 else { return false }
        return kill(pid_t(self[.process, rank]), 0) != 0 && errno == ESRCH
    }
}
