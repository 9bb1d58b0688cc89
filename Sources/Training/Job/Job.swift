import Failures
import Foundation
import Kernels
import MPI

/// Runs one command on all ranks of the job and ends the process as the interface promises: an error is one sentence
/// from the rank that met it, and then the whole job ends.
public enum Job {
    /// Starts MPI, runs `body`, finishes MPI and exits with the code that `body` returns.
    ///
    /// A `Failure` is printed with rank and host and the job is aborted with its code; MPI is never finalised on that
    /// way, since other ranks may be inside a collective.
    public static func run(_ body: (borrowing MPIEnvironment) throws(Failure) -> Int32) -> Never {
        // Parallelism is the trainer's; a product's bits must not depend on BLAS threads.
        BLAS.useOneThread()
        do throws(Failure) {
            let environment = try MPIEnvironment()
            let code: Int32
            do throws(Failure) {
                code = try body(environment)
            } catch {
                report(error, environment.world, host: environment.processorName)
                environment.world.abort(error.code)
            }
            try environment.finalize()
            exit(code)
        } catch {
            report(error)
            exit(error.code.rawValue)
        }
    }

    /// Runs a command that needs no other ranks and does not start MPI.
    public static func alone(_ body: () throws(Failure) -> Int32) -> Never {
        BLAS.useOneThread()
        do throws(Failure) {
            exit(try body())
        } catch {
            report(error)
            exit(error.code.rawValue)
        }
    }

    private static func report(_ failure: Failure, _ world: Communicator? = nil, host: String = "") {
        let origin = world.map { $0.size > 1 ? " rank \($0.rank) on \(host):" : "" } ?? ""
        FileHandle.standardError.write(Data("unolora-dist:\(origin) \(failure.message)\n".utf8))
    }
}

extension Communicator {
    /// Runs `body` on rank 0 first and then on the others, so that what is wrong for all is said once; collective.
    public func rankZeroFirst<T>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
        if rank == 0 {
            let value = try body()
            try barrier()
            return value
        }
        try barrier()
        return try body()
    }
}
