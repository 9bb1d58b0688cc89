import Synchronization

/// The signs of life of this process, which a watcher reads from another thread.
///
/// All work that takes long counts its parts here: micro-batches, batches of an evaluation, rows of a cache, blocks of a file.
/// A process that waits for others is alive without making progress, so waiting is recorded as well.
public enum Heartbeat {
    private static let count = Atomic<Int>(0)
    private static let waits = Atomic<Int>(0)
    private static let outsideWaits = Atomic<Int>(0)

    /// Counts one part of the work; any thread may call it.
    public static func beat() { count.wrappingAdd(1, ordering: .relaxed) }

    /// Parts counted so far.
    public static var beats: Int { count.load(ordering: .relaxed) }

    /// Runs `body`, during which this process waits for other ranks.
    public static func waiting<R, E>(_ body: () throws(E) -> R) throws(E) -> R {
        waits.wrappingAdd(1, ordering: .relaxed)
        defer {
            waits.wrappingSubtract(1, ordering: .relaxed)
            beat()
        }
        return try body()
    }

    /// Runs `body`, during which this process waits for something outside the job, such as the reader of its output.
    public static func waitingOutside<R, E>(_ body: () throws(E) -> R) throws(E) -> R {
        outsideWaits.wrappingAdd(1, ordering: .relaxed)
        defer {
            outsideWaits.wrappingSubtract(1, ordering: .relaxed)
            beat()
        }
        return try body()
    }

    /// Whether a thread waits for other ranks.
    public static var isWaiting: Bool { waits.load(ordering: .relaxed) > 0 }

    /// Whether a thread waits for something outside the job.
    public static var isWaitingOutside: Bool { outsideWaits.load(ordering: .relaxed) > 0 }
}
