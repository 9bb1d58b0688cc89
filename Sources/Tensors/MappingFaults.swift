import CMappings
import Failures

/// What is done when the pages of a mapped file are gone: it was cut short in place, or its disk or server no longer gives
/// them. The system then sends SIGBUS to the thread that reads there.
public enum MappingFaults {
    /// From here on such a fault ends the process with one sentence on standard error, which begins with `prefix`, and
    /// `badData`. After MPI was started, which has a handler of its own.
    public static func say(prefix: String) {
        cmappings_install(prefix, ExitCode.badData.rawValue)
    }

    /// Whether another thread looks at `lostFile` from time to time and ends the process itself; the thread that met the
    /// fault waits for that.
    public static func areWatched(_ watched: Bool) {
        cmappings_watched(watched)
    }

    /// The mapped file that a thread could not read; nil while all could be read.
    public static var lostFile: String? {
        cmappings_lost().map { String(cString: $0) }
    }
}
