import Failures
import Foundation
import Synchronization

/// Work on a thread of its own, so that a disk, or a reader of the output, that does not answer keeps nobody from ending
/// the job.
final class Bounded<Value: Sendable>: @unchecked Sendable {
    private let finished = DispatchSemaphore(value: 0)
    private let value = Mutex<Value?>(nil)

    /// Begins.
    init(_ body: @escaping @Sendable () -> Value) {
        let thread = Thread { [self] in
            let made = body()
            value.withLock { $0 = made }
            finished.signal()
        }
        thread.name = "bounded"
        thread.start()
    }

    /// Waits for the end, at most `seconds`; nil where it has not come by then. To be asked once.
    func result(within seconds: Double) -> Value? {
        _ = finished.wait(timeout: .now() + seconds)
        return value.withLock { $0 }
    }
}

extension Bounded where Value == LastSave {
    /// Begins to save the newest snapshot.
    static func saving(_ save: @escaping @Sendable () throws(Failure) -> Int?) -> Bounded<LastSave> {
        Bounded {
            do throws(Failure) {
                return LastSave(step: try save())
            } catch {
                return LastSave(trouble: error.message)
            }
        }
    }
}

/// What became of the last save.
struct LastSave: Sendable {
    /// Seconds that it may take.
    static let patience = 20.0
    /// Of one that has taken longer.
    static let unanswered = LastSave(trouble: "the file system does not answer")

    /// The step that is on the disk; nil for none.
    var step: Int?
    /// Why it is not; nil where it is, or where there was nothing to save.
    var trouble: String?
}
