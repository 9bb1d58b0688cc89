import Failures
import Foundation
import Tensors

/// Memory for weights that cannot be used from the file as they are (F16, BF16, unaligned): one copy that the ranks of
/// a node may share.
public protocol FrozenMemory: Sendable {
    /// First byte; 64-byte aligned.
    var base: UnsafeMutableRawPointer { get }
    /// Whether this rank is the one that fills the memory.
    var isWriter: Bool { get }
    /// Waits until the writer is done; every sharer calls it once.
    func publish() throws(Failure)
}

/// Private memory: for a process alone.
public final class PrivateFrozenMemory: FrozenMemory, @unchecked Sendable {
    /// First byte.
    public let base: UnsafeMutableRawPointer

    /// Allocates `byteCount` bytes; ends the process where there is no such memory (`Memory`).
    public init(byteCount: Int) {
        base = Memory.allocate(byteCount: byteCount, alignment: 2 << 20, for: .frozenWeights)
        // Weights are read from end to end: huge pages, where the system gives them, save misses in the TLB.
        madvise(base, byteCount, MADV_HUGEPAGE)
    }

    deinit { Memory.free(base) }

    /// Always: nobody shares it.
    public var isWriter: Bool { true }
    /// Nothing to wait for.
    public func publish() throws(Failure) {}
}
