public import Failures
import Foundation
import Kernels
public import MPI
import Runs
import Tensors
import Training

/// Runs one command on all ranks of the job and ends the process as documented: an error is one sentence from the rank that met
/// it, and then the whole job ends.
public enum Job {
    /// Set-up that every command needs first. A write to a closed pipe, or beyond the limit on a file's size, becomes an error
    /// with its own sentence instead of a signal. SIGQUIT ends the process without a backtrace. No opened file takes the place
    /// of a standard stream that was closed.
    public static func prepareProcess() {
        RankGuard.start()
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        StopSignals.quitAtOnce()
        for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
            // The direction is the wrong one, so that using the stream is still an error.
            _ = unsafe open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
        }
    }

    /// Starts MPI, checks that all ranks run the same command, runs `body`, finalises MPI and exits with the code that `body`
    /// returns.
    ///
    /// After a `Failure`, its message is printed with rank and host, and the job is aborted with its code. MPI is then never
    /// finalised, since other ranks may be inside a collective.
    public static func run(
        _ command: String, _ body: (borrowing MPIEnvironment) throws(Failure) -> Int32
    ) -> Never {
        // The trainer parallelises; a product's bits must not depend on BLAS threads.
        BLAS.useOneThread()
        BLAS.takeBuffers(threads: 1)
        do throws(Failure) {
            let environment = try MPIEnvironment()
            endOnShortage(environment.world, host: environment.processorName)
            MappingFaults.say(prefix: prefix(environment.world, host: environment.processorName))
            let code: Int32
            do throws(Failure) {
                try agree(on: command, environment.world)
                try KernelBuild.check()
                code = try body(environment)
            } catch {
                let (world, host) = (environment.world, environment.processorName)
                // The reader of the output may be stopped, and the other ranks wait for the end.
                _ = Bounded { report(error, world, host: host) }.result(within: 5)
                // This uses the environment's own `world`: the environment would abort by itself as soon as it is not used any
                // more.
                environment.world.abort(error.code)
            }
            try environment.finalize()
            exit(code)
        } catch {
            report(error)
            exit(error.code.rawValue)
        }
    }

    /// Runs a command that needs no other ranks. Under a launcher the first process runs it and the others do nothing.
    ///
    /// MPI is started for only one reason: to inform processes that mpirun started with another command, which would otherwise
    /// wait for this one for ever. What the parser answers itself, such as `--help`, cannot do that.
    public static func alone(_ command: String, _ body: () throws(Failure) -> Int32) -> Never {
        let launch = LaunchEnvironment.ofThisProcess
        BLAS.useOneThread()
        BLAS.takeBuffers(threads: 1)
        do throws(Failure) {
            if launch.isSharedByOwnLauncher { try meet(command) }
            if launch.isLaterRank { exit(0) }
            MappingFaults.say(prefix: prefix())
            try KernelBuild.check()
            exit(try body())
        } catch {
            report(error)
            exit(error.code.rawValue)
        }
    }

    /// Makes a lack of memory end the whole job like any other failure.
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

    /// The text before a sentence of this process.
    private static func prefix(_ world: Communicator? = nil, host: String = "") -> String {
        let origin = world.map { $0.size > 1 ? " rank \($0.rank) on \(host):" : "" } ?? ""
        return "\(ProcessInfo.processInfo.processName):\(origin) "
    }
}
