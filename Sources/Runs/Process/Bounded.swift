import Foundation
import Synchronization

/// Runs work on a separate thread, so that a disk or a reader of the output that hangs cannot keep the job from ending.
package final class Bounded<Value: Sendable>: @unchecked Sendable {
    private let finished = DispatchSemaphore(value: 0)
    private let value = Mutex<Value?>(nil)

    /// Starts the work.
    package init(_ body: @escaping @Sendable () -> Value) {
        let thread = Thread { [self] in
            let made = body()
            value.withLock { $0 = made }
            finished.signal()
        }
        thread.name = "bounded"
        thread.start()
    }

    /// Waits at most `seconds` for the result; nil if there is none by then. Call it only once.
    package func result(within seconds: Double) -> Value? {
        _ = finished.wait(timeout: .now() + seconds)
        return value.withLock { $0 }
    }
}
