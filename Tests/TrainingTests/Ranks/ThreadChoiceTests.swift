import MPI
import Testing

@testable import Training

@Suite struct ThreadChoiceTests {
    @Test func `the first ranks have the most micro-batches, and all have them together`() {
        for ranks in 1...9 {
            for microBatches in ranks...40 {
                let shares = (0..<ranks).map { rank in (0..<microBatches).count { $0 % ranks == rank } }
                #expect(ThreadChoice.largestShare(ofMicroBatches: microBatches, ranks: ranks) == shares.max())
            }
        }
    }

    @Test func `a rank has as many threads as asked for, else as it has cores and work`() {
        #expect(ThreadChoice.threads(requested: 5, fairShare: 2, own: 1) == 5)
        #expect(ThreadChoice.threads(requested: nil, fairShare: 2, own: 8) == 2)
        #expect(ThreadChoice.threads(requested: nil, fairShare: 16, own: 3) == 3)
        #expect(ThreadChoice.threads(requested: nil, fairShare: 16, own: .max) == 16)
        #expect(ThreadChoice.threads(requested: nil, fairShare: 4, own: 0) == 1)
    }

    @Test func `threads beyond the micro-batches are told of`() {
        #expect(ThreadChoice.idleWarning(threads: 3, own: 3) == nil)
        #expect(ThreadChoice.idleWarning(threads: 3, own: .max) == nil)
        #expect(ThreadChoice.idleWarning(threads: 4, own: 3)?.hasPrefix("1 of 4 threads of a rank will idle") == true)
    }

    @Test func `a rank that is bound to one core is told the flag of its own launcher`() {
        let cores = AvailableCores(cores: [3], quota: nil)
        func said(_ family: MPIFamily) -> [String] {
            ThreadChoice.warnings(threads: 1, own: 8, cores: cores, ranksOnNode: 2, processors: 8, family: family)
        }
        #expect(said(.openMPI).count == 1 && said(.mpich).count == 1)
        #expect(said(.openMPI)[0].hasSuffix("add --bind-to none to mpirun, or --cpus-per-task to srun"))
        #expect(said(.mpich)[0].contains("I_MPI_PIN=0 for Intel MPI's"))
    }
}
