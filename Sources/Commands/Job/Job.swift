import Failures
import Foundation
import Kernels
import MPI
import Runs
import Tensors
import Training

/// Runs one command on all ranks of the job and ends the process as the interface promises: an error is one sentence
/// from the rank that met it, and then the whole job ends.
public enum Job {
    /// What every command needs before anything else: a write to a closed pipe, or beyond the limit on a file's size, is
    /// an error with a sentence of its own and no signal; SIGQUIT ends the process and prints no backtrace; and no file that is opened takes the place of a standard stream
    /// that was closed.
    public static func prepareProcess() {
        RankGuard.start()
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        StopSignals.quitAtOnce()
        for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
            // The wrong way round, so that using the stream is an error still.
            _ = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
        }
    }

    /// Starts MPI, makes sure that all ranks have the same command, runs `body`, finishes MPI and exits with the code that `body` returns.
    ///
    /// A `Failure` is printed with rank and host and the job is aborted with its code; MPI is never finalised on that
    /// way, since other ranks may be inside a collective.
    public static func run(
        _ command: String, _ body: (borrowing MPIEnvironment) throws(Failure) -> Int32
    ) -> Never {
        // Parallelism is the trainer's; a product's bits must not depend on BLAS threads.
        BLAS.useOneThread()
        do throws(Failure) {
            let environment = try MPIEnvironment()
            endOnShortage(environment.world, host: environment.processorName)
            MappingFaults.say(prefix: prefix(environment.world, host: environment.processorName))
            let code: Int32
            do throws(Failure) {
                try agree(on: command, environment.world)
                code = try body(environment)
            } catch {
                let (world, host) = (environment.world, environment.processorName)
                // Whoever reads it may be stopped, and the other ranks wait for the end.
                _ = Bounded { report(error, world, host: host) }.result(within: 5)
                // The environment's own: it would abort by itself as soon as it is not used any more.
                environment.world.abort(error.code)
            }
            try environment.finalize()
            exit(code)
        } catch {
            report(error)
            exit(error.code.rawValue)
        }
    }

    /// Runs a command that needs no other ranks. Under a launcher the first process does it and the others have nothing
    /// to do.
    ///
    /// MPI is started for one thing only: to tell processes that mpirun started with another command, which would wait
    /// for this one for ever. What the parser answers, such as `--help`, cannot do that.
    public static func alone(_ command: String, _ body: () throws(Failure) -> Int32) -> Never {
        let launch = LaunchEnvironment.ofThisProcess
        BLAS.useOneThread()
        do throws(Failure) {
            if launch.isSharedByOwnLauncher { try meet(command) }
            if launch.isLaterRank { exit(0) }
            MappingFaults.say(prefix: prefix())
            exit(try body())
        } catch {
            report(error)
            exit(error.code.rawValue)
        }
    }

    /// Ends the whole job where memory cannot be had, as for any other failure.
    private static func endOnShortage(_ world: Communicator, host: String) {
        Memory.onShortage { failure in
            _ = Bounded { report(failure, world, host: host) }.result(within: 5)
            world.abort(failure.code)
        }
    }

    private static func meet(_ command: String) throws(Failure) {
        let environment = try MPIEnvironment()
        do throws(Failure) {
            try agree(on: command, environment.world)
        } catch {
            report(error, environment.world, host: environment.processorName)
            environment.world.abort(error.code)
        }
        try environment.finalize()
    }

    /// Refuses a job whose ranks run different commands; collective.
    private static func agree(on command: String, _ world: Communicator) throws(Failure) {
        try Agreement.check([.init(name: "command", text: "command: \(command)", hasKeys: true)], world: world)
    }

    private static func report(_ failure: Failure, _ world: Communicator? = nil, host: String = "") {
        Terminal.complain(prefix(world, host: host) + failure.message)
    }

    /// What stands before a sentence of this process.
    private static func prefix(_ world: Communicator? = nil, host: String = "") -> String {
        let origin = world.map { $0.size > 1 ? " rank \($0.rank) on \(host):" : "" } ?? ""
        return "\(ProcessInfo.processInfo.processName):\(origin) "
    }
}
