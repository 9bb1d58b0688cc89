#if canImport(Glibc)
    import Glibc
#endif

/// A stack of scratch memory for one worker: taking memory moves a pointer, giving it back resets the pointer to a mark.
///
/// Memory comes in 64-byte aligned pieces. When the blocks do not suffice, the workspace adds one and keeps it. So a training
/// step neither allocates nor touches new pages once the worker has seen its largest micro-batch.
///
/// Safe except for `take`. Nothing checks that a matrix is not used after its memory was given back or the workspace is gone:
/// that is a promise of the code that takes it.
@safe public final class Workspace: @unchecked Sendable {
    /// A position in the stack to return to.
    public struct Mark: Sendable {
        let block: Int
        let used: Int
    }

    /// Blocks are multiples of a huge page, which the system may then use: fewer page faults and fewer TLB misses.
    private static let hugePage = 2 << 20
    private static let leastBlock = 16 << 20

    private var blocks: [UnsafeMutableRawBufferPointer] = unsafe []
    private var block = 0
    private var used = 0
    private var usedBefore = 0
    /// The largest number of bytes in use at one time since the workspace was made.
    public private(set) var highWater = 0

    /// Creates a workspace with one block of at least `bytes`.
    public init(bytes: Int = 1) {
        addBlock(bytes)
    }

    /// Creates a workspace that will need at most `bytes`: one block of that size, whose pages take no memory until they are
    /// used. Where the system counts reserved memory as used memory, the workspace grows as needed instead.
    public init(reserving bytes: Int) {
        if MemoryLimit.countsReserved || !addBlockIfPossible(bytes) { addBlock(1) }
    }

    deinit {
        unsafe blocks.forEach { if let base = $0.baseAddress { unsafe Memory.free(base) } }
    }

    /// Bytes held; bytes that were never used take no memory.
    public var capacity: Int { unsafe blocks.reduce(0) { $0 + $1.count } }

    /// Gives everything back; the blocks stay.
    public func reset() {
        block = 0
        used = 0
        usedBefore = 0
    }

    private func addBlock(_ bytes: Int) {
        guard !addBlockIfPossible(bytes) else { return }
        Memory.end(Memory.shortage(max(bytes, Self.leastBlock), .activations))
    }

    private func addBlockIfPossible(_ bytes: Int) -> Bool {
        guard bytes <= Int.max - Self.hugePage else { return false }
        let size = (max(bytes, Self.leastBlock) + Self.hugePage - 1) / Self.hugePage * Self.hugePage
        guard let memory = unsafe Memory.allocateIfPossible(byteCount: size, alignment: Self.hugePage) else {
            return false
        }
        // This is only advice; if the system does not follow it, the pages are small ones.
        unsafe madvise(memory, size, MADV_HUGEPAGE)
        unsafe blocks.append(UnsafeMutableRawBufferPointer(start: memory, count: size))
        return true
    }

    /// The current top of the stack.
    public var mark: Mark { Mark(block: block, used: used) }

    /// Gives back all memory that was taken after `mark`.
    public func release(to mark: Mark) {
        precondition(mark.block < block || (mark.block == block && mark.used <= used), "mark of a later time")
        while block > mark.block {
            block -= 1
            unsafe usedBefore -= blocks[block].count
        }
        used = mark.used
    }

    /// Takes uninitialised memory for `count` values of a trivial type.
    public func take<T: BitwiseCopyable>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
        let bytes = (max(count, 1) * MemoryLayout<T>.stride + 63) & ~63
        while unsafe blocks[block].count - used < bytes {
            if unsafe block + 1 == blocks.count {
                addBlock(max(bytes, capacity / 2))
            }
            unsafe usedBefore += blocks[block].count
            block += 1
            used = 0
        }
        let pointer = unsafe blocks[block].baseAddress! + used
        used += bytes
        highWater = max(highWater, usedBefore + used)
        return unsafe pointer.bindMemory(to: T.self, capacity: count)
    }

    /// Takes an uninitialised matrix.
    public func matrix(_ rows: Int, _ columns: Int) -> MutableMatrix {
        unsafe MutableMatrix(take(Float.self, rows * columns), rows: rows, columns: columns)
    }

    /// Takes a matrix of zeros.
    public func zeroMatrix(_ rows: Int, _ columns: Int) -> MutableMatrix {
        let matrix = matrix(rows, columns)
        unsafe matrix.base.update(repeating: 0, count: rows * columns)
        return matrix
    }
}
