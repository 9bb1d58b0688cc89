import Glibc
import Synchronization
import Tensors

extension BLAS {
    private static let taken = Mutex(0)

    /// Makes OpenBLAS map the working buffers of `threads` concurrent products now, if this process's addresses are limited.
    ///
    /// OpenBLAS maps a buffer, of 128 MiB in the usual builds, in the first product that finds no free one, and keeps it. Where
    /// the system refuses it, OpenBLAS tries again for ever. So the buffers are mapped before other memory is, and a limit that is
    /// too low for them ends the process with a sentence (`Memory.end`).
    public static func takeBuffers(threads: Int) {
        // The functions are not in OpenBLAS's headers; a library without them keeps its own ways.
        guard MemoryLimit.addresses != nil, let (take, giveBack) = unsafe functions else { return }
        taken.withLock { taken in
            guard taken < threads else { return }
            var buffers: [UnsafeMutableRawPointer] = unsafe []
            // OpenBLAS gives the first free buffer, so those that were taken before are held too.
            for number in 0..<threads {
                if number >= taken { checkRoom() }
                if let buffer = unsafe take(0) { unsafe buffers.append(buffer) }
            }
            unsafe buffers.forEach { unsafe giveBack($0) }
            taken = threads
        }
    }

    /// What products with frozen and trained matrices need beside the matrices.
    private static let purpose = Memory.Purpose("OpenBLAS's working buffer", remedy: "lower parallel.threads")
    /// The largest usual size of a buffer.
    private static let bufferBytes = 128 << 20

    private static func checkRoom() {
        let place = unsafe mmap(nil, bufferBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard unsafe place != MAP_FAILED else { Memory.end(Memory.shortage(bufferBytes, purpose)) }
        unsafe munmap(place, bufferBytes)
    }

    private typealias Take = @convention(c) (CInt) -> UnsafeMutableRawPointer?
    private typealias GiveBack = @convention(c) (UnsafeMutableRawPointer) -> Void

    private static var functions: (take: Take, giveBack: GiveBack)? {
        guard let take = unsafe dlsym(nil, "blas_memory_alloc"), let giveBack = unsafe dlsym(nil, "blas_memory_free")
        else { return nil }
        return unsafe (unsafeBitCast(take, to: Take.self), unsafeBitCast(giveBack, to: GiveBack.self))
    }
}
