import CMappings
import Failures

/// Handles the loss of a mapped file's pages: the file was truncated in place, or its disk or server no longer delivers them.
/// In that case the system sends SIGBUS to the thread that reads there.
public enum MappingFaults {
    /// From now on such a fault ends the process with `badData` and one sentence on standard error that begins with `prefix`.
    /// Call it after MPI was started, since MPI installs a handler of its own.
    public static func say(prefix: String) {
        unsafe cmappings_install(prefix, ExitCode.badData.rawValue)
    }

    /// Whether another thread checks `lostFile` from time to time and ends the process itself; the thread with the fault waits
    /// for that.
    public static func setWatched(_ watched: Bool) {
        cmappings_watched(watched)
    }

    /// The mapped file that a thread could not read; nil while all could be read.
    public static var lostFile: String? {
        unsafe cmappings_lost().map { unsafe String(cString: $0) }
    }
}
