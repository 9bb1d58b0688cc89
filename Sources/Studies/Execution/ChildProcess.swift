import Failures
import Foundation

/// A process that this one started.
///
/// Foundation's `Process` takes a process for running as long as any descendant has a file of it open; Open MPI starts a daemon
/// for a program that runs alone, which may outlive it. This type asks the system about the process itself.
final class ChildProcess {
    /// How a process ended.
    enum End: Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    private let id: pid_t
    private var ended: End?

    /// Starts a program without input, whose output and errors go to the file `output`. It gets none of this process's other
    /// files, and a process group of its own: a signal to this group reaches it only through this process.
    init(_ program: String, _ arguments: [String], environment: [String: String], output: Int32) throws(Failure) {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for file in files.compactMap({ Int32($0) }) where file > STDERR_FILENO {
            // A file that is closed by now does no harm.
            unsafe posix_spawn_file_actions_addclose(&actions, file)
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        let variables =
            unsafe environment.sorted { $0.key < $1.key }.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer { unsafe (words + variables).forEach { unsafe free($0) } }
        var id: pid_t = 0
        let code = unsafe posix_spawn(&id, program, &actions, &attributes, words, variables)
        guard code == 0 else {
            throw Failure(.systemRefused, unsafe "\(program) cannot be started: \(String(cString: strerror(code)))")
        }
        self.id = id
    }

    /// How the process ended; nil while it runs.
    var end: End? {
        if let ended { return ended }
        var status: Int32 = 0
        let found = unsafe waitpid(id, &status, WNOHANG)
        if found == id {
            let signal = status & 0x7F
            ended = signal == 0 ? .exit(status >> 8 & 0xFF) : .signal(signal)
        } else if found < 0, errno != EINTR {
            ended = .exit(ExitCode.internal.rawValue)
        }
        return ended
    }

    /// Sends a signal, unless the process has ended.
    func send(_ signal: Int32) { if end == nil { kill(id, signal) } }
}
