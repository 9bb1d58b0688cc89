import CMPI
public import Failures
import Heartbeat

#if canImport(Glibc)
    import Glibc
#endif

extension Communicator {
    /// Allocates memory that all ranks of a node communicator see; collective. Rank 0 owns it: the pages count as rank 0's, and
    /// only rank 0 should write unless the ranks agree otherwise. The content is undefined at first.
    ///
    /// All pages exist when this returns: a page for which there is no room would end the process at its first use.
    ///
    /// - Parameters:
    ///   - byteCount: the size, more than 0; the value of rank 0 counts.
    ///   - content: what the memory is for, in a message.
    ///   - remedy: what to do about too little room, apart from providing more, in a message.
    /// - Throws: `systemRefused` when the host's shared memory has no room.
    public func allocateShared(
        byteCount: Int, for content: String = "their state", remedy: String = SharedRoom.oneRank
    ) throws(Failure) -> SharedMemory {
        var room = SharedRoom(byteCount: byteCount, ranks: size, content: content, remedy: remedy)
        // This comes before the other ranks enter, so that the failure is reported once.
        if rank == 0 { try room.check() }
        let byteCount = Int(try broadcastWord(UInt64(byteCount)))
        guard byteCount > 0 else { throw Failure(.internal, "shared memory of \(byteCount) bytes was asked for") }
        room.byteCount = byteCount
        var window = cmpi_window()
        var base: UnsafeMutableRawPointer?
        var size = 0
        let error = Heartbeat.waiting { unsafe cmpi_shared_allocate(handle, byteCount, &window, &base, &size) }
        guard error == 0 else {
            // Rank 0 reports the failure.
            if rank > 0 { usleep(1_000_000) }
            throw room.failure(of: error)
        }
        guard let base = unsafe base, size == byteCount else {
            throw Failure(.internal, "MPI shares \(size) bytes where \(byteCount) were asked for")
        }
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
        if rank == 0 { try unsafe room.occupy(bytes) }
        try barrier()
        return unsafe SharedMemory(bytes: bytes, node: self, window: window)
    }

    private func broadcastWord(_ word: UInt64) throws(Failure) -> UInt64 {
        var word = word
        try unsafe check(cmpi_broadcast(handle, &word, 8, 0), "broadcast a length from rank 0")
        return word
    }
}

/// Memory that the ranks of one node share (an MPI window); made by `Communicator.allocateShared(byteCount:)`.
///
/// Freeing is collective, so it is explicit. A value that goes away without `free()` leaves the memory to MPI, which frees it
/// at finalisation; so a rank that fails cannot make the others wait.
///
/// Safe except for `bytes`; every use of them is marked.
@safe public struct SharedMemory: ~Copyable {
    /// The memory; valid until `free()`. The address differs between ranks.
    public let bytes: UnsafeMutableRawBufferPointer
    /// The ranks that share it.
    public let node: Communicator
    var window: cmpi_window

    /// Whether this rank owns the memory and fills it.
    public var isOwner: Bool { node.rank == 0 }

    /// Makes everything that any rank wrote before visible to all ranks afterwards; collective over `node`.
    public func synchronise() throws(Failure) {
        try check(cmpi_shared_sync(window), "synchronise shared memory")
        try node.barrier()
        try check(cmpi_shared_sync(window), "synchronise shared memory")
    }

    /// Frees the memory; collective over `node`. No pointer into it may be used afterwards.
    public consuming func free() throws(Failure) {
        try unsafe check(cmpi_shared_free(&window), "free shared memory")
    }
}
