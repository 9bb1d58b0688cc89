import Failures
import Foundation

@testable import MPI

/// The MPI environment of the test process: started on first use, ended when the process exits. Suites that use it are
/// `@MainActor`, because a library may grant only MPI_THREAD_FUNNELED, where every call must come from the thread that started
/// MPI; and `.serialized`, because collectives must be in the same order.
///
/// The tests must pass with any number of ranks: `mpirun -n 4 .build/release/unolora-distPackageTests.xctest --testing-library
/// swift-testing --no-parallel --filter '^DistributedTests'`, as `launch/test.sh` runs them.
@MainActor enum TestWorld {
    /// The environment's facts.
    struct Started: Sendable {
        let world: Communicator
        let threadLevel: MPIEnvironment.ThreadLevel
        let library: String
        let host: String
    }

    private final class Holder {
        var environment: MPIEnvironment?
        let start: Result<Started, Failure>

        init() {
            do throws(Failure) {
                let started = try MPIEnvironment()
                start = .success(
                    Started(
                        world: started.world, threadLevel: started.threadLevel, library: started.libraryVersion,
                        host: started.processorName))
                environment = consume started
            } catch {
                environment = nil
                start = .failure(error)
            }
        }
    }

    private static let holder: Holder = {
        atexit {
            // The testing library exits on a thread of its pool, but MPI must end on the thread that started it.
            if Thread.isMainThread {
                MainActor.assumeIsolated { TestWorld.finalize() }
            } else {
                DispatchQueue.main.sync { MainActor.assumeIsolated { TestWorld.finalize() } }
            }
        }
        return Holder()
    }()

    /// All ranks of the test job.
    static var world: Communicator {
        get throws(Failure) { try started.world }
    }

    /// The environment's description.
    static var started: Started {
        get throws(Failure) { try holder.start.get() }
    }

    private static func finalize() {
        guard let environment = holder.environment.take() else { return }
        do throws(Failure) {
            try environment.finalize()
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
        }
    }

    /// Whether an MPI launcher started this process; tests that start jobs themselves need a process without a launcher.
    nonisolated static var isLaunched: Bool {
        LaunchEnvironment(ProcessInfo.processInfo.environment) != LaunchEnvironment([:])
    }
}
