import CMPI
public import Failures
public import Foundation
import Heartbeat

/// The life of MPI in this process: `init` starts MPI, and only `finalize()` ends it cleanly.
///
/// When the value goes away without `finalize()`, because an error is thrown past its owner, the whole job is aborted with exit
/// code 70: the other ranks may be inside a collective that this rank will never join, and a finalisation would wait for ever.
/// Print the error before that happens.
///
/// The program asks for MPI_THREAD_MULTIPLE but also works with less. When only `funneled` is granted, all calls except `abort`
/// must come from the thread that created this value, and features that need another thread are left out (`threadLevel`).
public struct MPIEnvironment: ~Copyable {
    /// Which threads may call MPI, as granted by the library.
    public enum ThreadLevel: String, Sendable, Codable, Comparable {
        /// The process must have one thread.
        case single
        /// Only the thread that started MPI calls it.
        case funneled
        /// Any thread, one at a time.
        case serialized
        /// Any thread at any time.
        case multiple

        init(_ level: cmpi_thread_level) {
            switch level {
            case cmpi_thread_multiple: self = .multiple
            case cmpi_thread_serialized: self = .serialized
            case cmpi_thread_funneled: self = .funneled
            default: self = .single
            }
        }

        /// Orders by what is allowed; the most restrictive level comes first.
        public static func < (a: ThreadLevel, b: ThreadLevel) -> Bool { a.strength < b.strength }

        private var strength: Int {
            switch self {
            case .single: 0
            case .funneled: 1
            case .serialized: 2
            case .multiple: 3
            }
        }
    }

    /// All ranks of the job.
    public let world: Communicator
    /// The granted level; never below `funneled`.
    public let threadLevel: ThreadLevel

    /// Starts MPI.
    ///
    /// - Parameter environment: the environment variables of the process, to recognise a launcher that this MPI library
    ///   does not understand.
    /// - Throws: `.usage` when a launcher started several processes but MPI sees each of them alone; `.systemRefused`
    ///   when MPI cannot start or grants no threads; `.internal` when it was started before.
    public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(Failure) {
        let launch = LaunchEnvironment(environment)
        try launch.checkBeforeStart()
        var initialized: Int32 = 0
        var finalized: Int32 = 0
        try unsafe check(cmpi_state(&initialized, &finalized), "say whether it runs")
        guard initialized == 0 else {
            throw Failure(.internal, "MPI was started twice in this process; create one MPIEnvironment only")
        }
        var provided = cmpi_thread_single
        let error = Heartbeat.waiting { unsafe cmpi_init(&provided) }
        guard error == 0 else {
            // The run has not started yet, so a restart has nothing to go on with.
            throw Failure(
                .systemRefused,
                "MPI cannot start: \(errorText(error)); see what it says itself, and try mpirun -n 2 hostname here")
        }
        let threadLevel = ThreadLevel(provided)
        let world: Communicator
        do throws(Failure) {
            world = try Communicator(cmpi_world())
            try launch.check(worldSize: world.size)
            guard threadLevel >= .funneled else {
                throw Failure(
                    .systemRefused,
                    "this MPI library grants no thread support (MPI_THREAD_SINGLE); use one that is built with it")
            }
        } catch {
            // Every rank takes this path in the same way: each refusal is a function of what all of them see.
            _ = cmpi_finalize()
            throw error
        }
        self.world = world
        self.threadLevel = threadLevel
    }

    deinit { cmpi_abort(cmpi_world(), ExitCode.internal.rawValue) }

    /// Ends MPI; collective. Returns when all ranks have called it.
    public consuming func finalize() throws(Failure) {
        let error = cmpi_finalize()
        // After this an abort would itself be a wrong use of MPI.
        discard self
        try check(error, "finish")
    }

    /// The first line of the library's own description of itself.
    public var libraryVersion: String {
        let whole = unsafe text(capacity: cmpi_library_version_size) { _ = unsafe cmpi_library_version($0) }
        // MPICH's description has a tab in it.
        return (whole.split(whereSeparator: \.isNewline).first ?? "").split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
    }

    /// What a run records about the library.
    public struct Library: Sendable, Codable {
        /// The first line of the library's own description of itself.
        public let version: String
        /// Which threads may call it.
        public let threadLevel: ThreadLevel
    }

    /// The library that this job runs on.
    public var library: Library { Library(version: libraryVersion, threadLevel: threadLevel) }

    /// The name of this host as MPI knows it.
    public var processorName: String {
        unsafe text(capacity: cmpi_name_size) { _ = unsafe cmpi_processor_name($0) }
    }
}
