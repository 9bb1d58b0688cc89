import Failures
import Foundation
import Synchronization

/// Saves the newest snapshot on a thread of its own, so that a disk that does not answer keeps nobody from ending the job.
final class LastSave: @unchecked Sendable {
    /// What became of it.
    struct Outcome {
        /// The step that is on the disk; nil for none.
        var step: Int?
        /// Why it is not; nil where it is, or where there was nothing to save.
        var trouble: String?
    }

    private let finished = DispatchSemaphore(value: 0)
    private let outcome = Mutex<Outcome?>(nil)

    /// Begins to save.
    init(_ save: @escaping @Sendable () throws(Failure) -> Int?) {
        let thread = Thread { [self] in
            do throws(Failure) {
                let step = try save()
                outcome.withLock { $0 = Outcome(step: step) }
            } catch {
                outcome.withLock { $0 = Outcome(trouble: error.message) }
            }
            finished.signal()
        }
        thread.name = "last save"
        thread.start()
    }

    /// Waits for the end, at most `seconds`.
    func result(within seconds: Double) -> Outcome {
        _ = finished.wait(timeout: .now() + seconds)
        return outcome.withLock { $0 } ?? Outcome(trouble: "the file system does not answer")
    }
}
