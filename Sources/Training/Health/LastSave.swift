import Failures
import Runs

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
