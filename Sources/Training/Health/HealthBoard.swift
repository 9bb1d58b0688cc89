import Failures
import Foundation
import MPI
import Synchronization

/// A table in memory that the ranks of a node share, in which each shows its signs of life to the others.
///
/// How a job ends through it: somebody sets `signal` (a rank that got one, or that found another lost, after `finder` and
/// `sentence`). Each rank then lets no further step be completed, shows its last snapshot and sets `frozen`. The live rank with
/// the newest snapshot makes itself the `saver`, saves, says why the job ends, sets `saved` and aborts the job; where it dies or
/// takes too long another takes its place. A rank with a failure of its own sets `failing`, so that the others keep quiet.
///
/// Every entry is one word that is written whole, so nobody locks: a rank may be stopped or killed at any moment.
final class HealthBoard: @unchecked Sendable {
    /// The words of a rank. Times are of the node's monotonic clock, in nanoseconds.
    enum Entry: Int, CaseIterable {
        /// Process id.
        case process
        /// When its watcher last ran.
        case watched
        /// When it last made progress, or waited for others.
        case progressed
        /// When it last made progress, or waited for somebody who is not of the job.
        case worked
        /// Step of its newest snapshot, plus 1; 0 for none.
        case snapshot
        /// 1 when that snapshot is its last, since a signal came.
        case frozen
        /// 1 when it will watch no more since its work is done.
        case done
    }

    /// The words of the node.
    enum Word: Int, CaseIterable {
        /// Number of the signal that asks the ranks of the node to save and end; 0 for none.
        case signal
        /// Rank of the node that saves for it, plus 1; 0 for none.
        case saver
        /// When that rank began.
        case savingSince
        /// 1 when the state is on the disk, or cannot be.
        case saved
        /// 1 when a rank ends the job for a failure that it tells itself.
        case failing
        /// Rank of the node that found a lost rank first, plus 1; 0 for none.
        case finder
        /// Bytes of its sentence about it, once that is there.
        case sentence
    }

    /// The ranks of this node.
    let node: Communicator
    /// World ranks by rank of the node.
    let worldRanks: [Int]
    /// Whether ranks can look at each other's processes: false where they are in containers of their own.
    let seesProcesses: Bool
    private let memory: NodeMemory
    /// Bytes of a sentence, at most.
    private static let sentenceSize = 512
    private let words: UnsafeMutablePointer<Atomic<Int64>>

    /// Makes the table; collective over `node`, whose ranks know their rank in `world`.
    init(_ node: Communicator, world: Communicator) throws(Failure) {
        self.node = node
        let count = Word.allCases.count + node.size * Entry.allCases.count
        let size = count * MemoryLayout<Int64>.stride + Self.sentenceSize
        memory = try NodeMemory(node, byteCount: size)
        words = memory.base.assumingMemoryBound(to: Atomic<Int64>.self)
        if memory.isWriter { memset(memory.base, 0, size) }
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

    /// Nanoseconds of the clock that all processes of a node share.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// A word of the node.
    subscript(word: Word) -> Int64 {
        get { words[word.rawValue].load(ordering: .acquiring) }
        set { words[word.rawValue].store(newValue, ordering: .releasing) }
    }

    /// Puts `new` where `old` stands; false when something else stands there.
    func replace(_ word: Word, _ old: Int64, by new: Int64) -> Bool {
        words[word.rawValue].compareExchange(expected: old, desired: new, ordering: .acquiringAndReleasing).exchanged
    }

    /// A word of a rank of the node.
    subscript(entry: Entry, rank: Int) -> Int64 {
        get { words[place(entry, rank)].load(ordering: .acquiring) }
        set { words[place(entry, rank)].store(newValue, ordering: .releasing) }
    }

    private func place(_ entry: Entry, _ rank: Int) -> Int {
        Word.allCases.count + rank * Entry.allCases.count + entry.rawValue
    }

    /// What was found about a lost rank; nil for nothing.
    var loss: String? {
        let count = Int(self[.sentence])
        return count == 0 ? nil : String(decoding: UnsafeRawBufferPointer(start: text, count: count), as: UTF8.self)
    }

    /// Shows the others what was found about a lost rank; the first that does is right.
    func found(_ sentence: String) {
        guard replace(.finder, 0, by: Int64(node.rank + 1)) else { return }
        let bytes = Array(sentence.utf8.prefix(Self.sentenceSize))
        text.copyMemory(from: bytes, byteCount: bytes.count)
        self[.sentence] = Int64(bytes.count)
    }

    private var text: UnsafeMutableRawPointer {
        memory.base + place(.process, node.size) * MemoryLayout<Int64>.stride
    }

    /// Whether the process of a rank of the node is gone; false where that cannot be told.
    func isDead(_ rank: Int) -> Bool {
        // Who has just shown life need not be looked for, which costs a system call.
        guard seesProcesses, self[.done, rank] == 0, Self.now - self[.watched, rank] > 100_000_000 else { return false }
        return kill(pid_t(self[.process, rank]), 0) != 0 && errno == ESRCH
    }
}
