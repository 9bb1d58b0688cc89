import Foundation
import Synchronization

/// Work on a thread of its own, so that a disk, or a reader of the output, that does not answer keeps nobody from ending
/// the job.
package final class Bounded<Value: Sendable>: @unchecked Sendable {
    private let finished = DispatchSemaphore(value: 0)
    private let value = Mutex<Value?>(nil)

    /// Begins.
    package init(_ body: @escaping @Sendable () -> Value) {
        let thread = Thread { [self] in
            let made = body()
            value.withLock { $0 = made }
            finished.signal()
        }
        thread.name = "bounded"
        thread.start()
    }

    /// Waits for the end, at most `seconds`; nil where it has not come by then. To be asked once.
    package func result(within seconds: Double) -> Value? {
        _ = finished.wait(timeout: .now() + seconds)
        return value.withLock { $0 }
    }
}
