public import Backbone
public import Failures
public import MPI

/// Memory for converted or packed weights that the ranks of a node share. Safe except for `base`.
@safe public final class NodeMemory: FrozenMemory, @unchecked Sendable {
    /// Where the memory is.
    private enum Place: ~Copyable {
        /// For a rank that is alone on its node, because containers have little shared memory.
        case own(PrivateFrozenMemory)
        /// The window lives as long as the job: freeing it is collective, and MPI does that at the end.
        case window(SharedMemory)
    }

    /// First byte.
    public let base: UnsafeMutableRawPointer
    /// Whether this rank fills the memory; true for the first rank of the node.
    public let isWriter: Bool
    /// This rank's number on its node, and the ranks there.
    public let share: (number: Int, of: Int)
    private let place: Place

    /// Allocates `byteCount` bytes; collective over the node. `content` and `remedy` are for a refusal, as in
    /// `Communicator.allocateShared`.
    public init(
        _ node: Communicator, byteCount: Int, for content: String = "their state",
        remedy: String = SharedRoom.oneRank
    ) throws(Failure) {
        isWriter = node.rank == 0
        share = (node.rank, node.size)
        if node.size == 1 {
            let memory = PrivateFrozenMemory(byteCount: byteCount)
            unsafe base = memory.base
            place = .own(memory)
        } else {
            let memory = try node.allocateShared(byteCount: byteCount, for: content, remedy: remedy)
            unsafe base = memory.bytes.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 64)!
            place = .window(memory)
        }
    }

    /// Returns when all of the node are done; collective over the node.
    public func publish() throws(Failure) {
        switch place {
        case .own: break
        case .window(let memory): try memory.synchronise()
        }
    }
}
