public import Failures
import Foundation
import Tensors

/// Memory for weights that cannot be used in place in the file (F16, BF16, unaligned): one copy, which the ranks of a node may
/// share.
public protocol FrozenMemory: Sendable {
    /// First byte; 64-byte aligned.
    var base: UnsafeMutableRawPointer { get }
    /// Whether this rank fills the memory, where one rank does.
    var isWriter: Bool { get }
    /// This rank's number among those that share the memory, and how many they are, where each fills a part.
    var share: (number: Int, of: Int) { get }
    /// Waits until all are done who fill the memory; every rank that shares the memory calls it once.
    func publish() throws(Failure)
}

/// Private memory of one process. Safe except for `base`.
@safe public final class PrivateFrozenMemory: FrozenMemory, @unchecked Sendable {
    /// First byte.
    public let base: UnsafeMutableRawPointer

    /// Allocates `byteCount` bytes; ends the process when they cannot be allocated (`Memory`).
    public init(byteCount: Int) {
        unsafe base = Memory.allocate(byteCount: byteCount, alignment: 2 << 20, for: .frozenWeights)
        // Weights are read from end to end: huge pages, if the system gives them, save TLB misses.
        unsafe madvise(base, byteCount, MADV_HUGEPAGE)
    }

    deinit { unsafe Memory.free(base) }

    /// Always: nobody shares it.
    public var isWriter: Bool { true }
    /// All of it.
    public var share: (number: Int, of: Int) { (0, 1) }
    /// Nothing to wait for.
    public func publish() throws(Failure) {}
}
