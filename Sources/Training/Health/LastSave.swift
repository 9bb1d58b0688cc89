import Failures
import Runs

/// The result of saving the last step.
struct LastSave: Sendable {
    /// Largest number of seconds that saving may take.
    static let patience = 20.0
    /// The result when saving takes longer.
    static let unanswered = LastSave(trouble: "the file system does not answer")

    /// The step that is on the disk; nil for none.
    var step: Int?
    /// Why the step is not on the disk; nil when it is, or when there was nothing to save.
    var trouble: String?
}

extension Bounded where Value == LastSave {
    /// Starts saving the newest snapshot.
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
