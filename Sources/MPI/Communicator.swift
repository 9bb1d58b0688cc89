import CMPI
public import Failures

#if canImport(Glibc)
    import Glibc
#endif

/// A group of ranks and its collectives.
///
/// All ranks of the communicator must call every method that says "collective", in the same order. A value is a handle: copies
/// name the same communicator. A run makes only a few communicators; they live until MPI ends, unless `free()` is called on
/// them. An MPI error becomes a `Failure` with MPI's text (`failure(of:_:)`).
public struct Communicator: Sendable {
    /// This process's number in the communicator, from 0; in `MPIEnvironment.world` the world rank.
    public let rank: Int
    /// How many ranks it has; in `MPIEnvironment.world` the size of the job.
    public let size: Int

    let handle: cmpi_comm
    /// The largest count that one MPI call may carry; tests use a smaller one to exercise the cutting of long buffers.
    var largestCount = Int(Int32.max)

    init(_ handle: cmpi_comm) throws(Failure) {
        var rank: Int32 = 0
        var size: Int32 = 0
        try unsafe check(cmpi_rank(handle, &rank), "tell the rank")
        try unsafe check(cmpi_size(handle, &size), "tell the number of ranks")
        self.handle = handle
        self.rank = Int(rank)
        self.size = Int(size)
    }

    /// Returns when all ranks have called it; collective.
    public func barrier() throws(Failure) {
        try check(cmpi_barrier(handle), "pass a barrier")
    }

    /// Runs `body` on rank 0 first and then on the others, so that a problem that all ranks have is reported once; collective.
    public func rankZeroFirst<T>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
        if rank == 0 {
            let value = try body()
            try barrier()
            return value
        }
        try barrier()
        return try body()
    }

    /// Returns the communicator of the ranks with the same color, ordered by `key` and then by rank; nil for a rank whose color
    /// is nil. Collective. Colors are not negative.
    public func split(color: Int?, key: Int) throws(Failure) -> Communicator? {
        var part = cmpi_comm()
        var made: Int32 = 0
        let color = color.map { Int32($0) } ?? -1
        try unsafe check(cmpi_split(handle, color, Int32(key), &part, &made), "split a communicator")
        return made == 0 ? nil : try Communicator(part)
    }

    /// Returns the communicator of the ranks that can share memory with this one, in the order of this communicator. These are
    /// the ranks of its node. Collective.
    public func nodeCommunicator() throws(Failure) -> Communicator {
        var node = cmpi_comm()
        try unsafe check(cmpi_split_by_node(handle, Int32(rank), &node), "find the ranks of this node")
        return try Communicator(node)
    }

    /// Gives the communicator back to MPI; collective; not for the world. Neither it nor a copy may be used afterwards.
    public func free() throws(Failure) {
        var handle = handle
        try unsafe check(cmpi_free(&handle), "free a communicator")
    }

    /// Ends all ranks of the job at once with an exit code; not collective. Under mpirun or srun, the launcher decides the code
    /// that its caller sees.
    public func abort(_ code: ExitCode) -> Never { abort(status: code.rawValue) }

    /// Like `abort(_:)`, with a raw exit status such as 128 + a signal number.
    public func abort(status: Int32) -> Never {
        // A single rank has no others to end, and MPI's own text about an abort would hide the error's sentence.
        if size == 1 { _exit(status) }
        // If the launcher itself is stopped, MPI would wait for it for ever.
        signal(SIGALRM, SIG_DFL)
        alarm(10)
        cmpi_abort(handle, status)
        // MPI_Abort is allowed to return.
        _exit(status)
    }
}
