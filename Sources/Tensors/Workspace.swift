/// A stack of scratch memory for one worker: taking is a pointer bump, giving back is setting a mark.
///
/// Memory comes in 64-byte aligned pieces. When it does not suffice the workspace adds a block, and the next `reset`
/// joins the blocks into one, so that a training step does not allocate once the largest micro-batch has been seen.
public final class Workspace: @unchecked Sendable {
    /// A place in the stack to return to.
    public struct Mark: Sendable {
        let block: Int
        let used: Int
    }

    private var blocks: [UnsafeMutableRawBufferPointer] = []
    private var block = 0
    private var used = 0
    private var usedBefore = 0
    /// The largest number of bytes in use at one time since the workspace was made.
    public private(set) var highWater = 0

    /// Creates a workspace with one block of `bytes`.
    public init(bytes: Int = 1 << 20) {
        blocks.append(.allocate(byteCount: max(bytes, 64), alignment: 64))
    }

    deinit {
        for block in blocks {
            block.deallocate()
        }
    }

    /// Bytes held.
    public var capacity: Int { blocks.reduce(0) { $0 + $1.count } }

    /// Gives everything back, and joins blocks so that the next use of the same size fits in one.
    public func reset() {
        if blocks.count > 1 {
            let total = capacity
            for block in blocks {
                block.deallocate()
            }
            blocks = [.allocate(byteCount: total, alignment: 64)]
        }
        block = 0
        used = 0
        usedBefore = 0
    }

    /// The present top of the stack.
    public var mark: Mark { Mark(block: block, used: used) }

    /// Gives back what was taken after `mark`.
    public func release(to mark: Mark) {
        precondition(mark.block < block || (mark.block == block && mark.used <= used), "mark of a later time")
        while block > mark.block {
            block -= 1
            usedBefore -= blocks[block].count
        }
        used = mark.used
    }

    /// Takes uninitialised memory for `count` values of a trivial type.
    public func take<T: BitwiseCopyable>(_ type: T.Type, _ count: Int) -> UnsafeMutablePointer<T> {
        let bytes = (max(count, 1) * MemoryLayout<T>.stride + 63) & ~63
        while blocks[block].count - used < bytes {
            if block + 1 == blocks.count {
                blocks.append(.allocate(byteCount: max(bytes, capacity / 2), alignment: 64))
            }
            usedBefore += blocks[block].count
            block += 1
            used = 0
        }
        let pointer = blocks[block].baseAddress! + used
        used += bytes
        highWater = max(highWater, usedBefore + used)
        return pointer.bindMemory(to: T.self, capacity: count)
    }

    /// Takes an uninitialised matrix.
    public func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        Matrix(take(Float.self, rows * columns), rows: rows, columns: columns)
    }

    /// Takes a matrix of zeros.
    public func zeroMatrix(_ rows: Int, _ columns: Int) -> Matrix {
        let matrix = matrix(rows, columns)
        matrix.base.update(repeating: 0, count: rows * columns)
        return matrix
    }
}
