public import Failures
import Glibc
import Synchronization

/// Allocates large memory, and ends the process when the system refuses it.
///
/// Most of it is allocated deep inside a step, where nothing can be thrown, and the step cannot go on without it. So the
/// process ends here, with a sentence instead of a trap, after the job had its chance to save the last step (`onShortage`).
public enum Memory {
    /// What some memory is used for, and how the user can make the program need less of it.
    public struct Purpose: Sendable {
        let name: String
        let remedy: String

        /// Creates a purpose; both texts are parts of a sentence.
        public init(_ name: String, remedy: String) {
            self.name = name
            self.remedy = remedy
        }

        /// A worker's activations.
        public static let activations = Purpose(
            "activations", remedy: "lower batch.micro, eval.batch, data.maxSource or parallel.threads")
        /// Trainable weights, gradients, moments, sums and snapshots.
        public static let trainables = Purpose(
            "trainable weights, their gradients, moments or snapshots",
            remedy: "lower parallel.threads, or the ranks and widths of the method")
        /// Frozen weights that were converted or packed.
        public static let frozenWeights = Purpose(
            "converted or packed weights", remedy: "use parallel.gemm: openblas, which packs none in float32")
        /// Smaller arrays of numbers.
        public static let numbers = Purpose("numbers", remedy: "start fewer ranks on this machine")
    }

    private static let handlers = Mutex<[@Sendable (Failure) -> Void]>([])
    private static let isEnding = Atomic<Bool>(false)
    /// Address space that is kept for the end of the process: threads need some, and under a limit none would be left.
    private static let reserve = Mutex<UInt>(0)
    private static let reserveBytes = 64 << 20

    /// Allocates `byteCount` uninitialised bytes, to be given back with `free`; ends the process when they cannot be allocated.
    public static func allocate(
        byteCount: Int, alignment: Int = 64, for purpose: Purpose
    ) -> UnsafeMutableRawPointer {
        if let memory = unsafe allocateIfPossible(byteCount: byteCount, alignment: alignment) { return unsafe memory }
        end(shortage(byteCount, purpose))
    }

    /// The same, but returns nil when the bytes cannot be allocated.
    static func allocateIfPossible(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer? {
        var memory: UnsafeMutableRawPointer?
        guard byteCount >= 0, unsafe posix_memalign(&memory, alignment, max(byteCount, alignment)) == 0 else {
            return nil
        }
        guard byteCount < smallBytes || hasRoom else {
            unsafe Glibc.free(memory)
            return nil
        }
        return unsafe memory
    }

    /// Allocations that are smaller than this are not refused for the sake of others.
    private static let smallBytes = 1 << 20
    /// Addresses that large allocations leave to small ones, of which most cannot fail with a sentence: a trap would follow.
    private static let roomBytes = 16 << 20

    /// Whether the limit on addresses leaves room for small allocations.
    private static var hasRoom: Bool {
        guard MemoryLimit.addresses != nil else { return true }
        let place = unsafe mmap(nil, roomBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard unsafe place != MAP_FAILED else { return false }
        unsafe munmap(place, roomBytes)
        return true
    }

    /// Ends the process, as for lack of memory, unless the limit on addresses leaves room for small allocations: for calls into
    /// libraries that do not check their own.
    public static func requireRoom(for purpose: Purpose) {
        if !hasRoom { end(shortage(roomBytes, purpose)) }
    }

    /// Gives back what `allocate` gave.
    public static func free(_ memory: UnsafeMutableRawPointer) { unsafe Glibc.free(memory) }

    /// From now on `handler` is called, with the failure, before a process ends for lack of memory; on the thread that lacks
    /// it. Handlers that were added later are called first. A handler that ends the process keeps the others from being called.
    public static func onShortage(_ handler: @escaping @Sendable (Failure) -> Void) {
        handlers.withLock { $0.append(handler) }
        reserve.withLock { reserve in
            guard reserve == 0 else { return }
            let place = unsafe mmap(nil, reserveBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
            if unsafe place != MAP_FAILED { reserve = UInt(bitPattern: place) }
        }
    }

    /// Ends the process because it lacks memory.
    public static func end(_ failure: Failure) -> Never {
        // If another thread is ending the process already, this one waits.
        while isEnding.exchange(true, ordering: .acquiringAndReleasing) { sleep(1) }
        reserve.withLock { reserve in
            if let place = unsafe UnsafeMutableRawPointer(bitPattern: reserve) { unsafe munmap(place, reserveBytes) }
            reserve = 0
        }
        for handler in handlers.withLock({ $0 }).reversed() { handler(failure) }
        let line = "unolora-dist: \(failure.message)\n"
        _ = unsafe line.utf8.withContiguousStorageIfAvailable { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        _exit(failure.code.rawValue)
    }

    /// The failure to report when memory cannot be allocated.
    public static func shortage(_ byteCount: Int, _ purpose: Purpose) -> Failure {
        let size = byteCount < 0 ? "more memory than addresses can cover" : "\(mebibytes(byteCount)) MiB of memory"
        let limit = MemoryLimit.addresses.map {
            "; \($0.name) allows this process \(mebibytes($0.bytes)) MiB of addresses"
        }
        return Failure(
            .systemRefused,
            "\(size) for \(purpose.name) cannot be allocated\(limit ?? ""); \(purpose.remedy), or give the job more memory"
        )
    }

    private static func mebibytes(_ bytes: Int) -> String {
        let tenths = (Double(bytes) / 104_857.6).rounded()
        return "\(tenths / 10)"
    }
}
