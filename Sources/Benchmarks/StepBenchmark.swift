import Backbone
import CAllocations
public import Failures
import Kernels
public import MPI
import Tasks
import Training

/// `step`: whole training steps of a real model on examples of given lengths.
public struct StepBenchmark {
    /// The measurements; one JSON object.
    public struct Report: Encodable, Sendable {
        var benchmark = "step"
        var model: String
        var method: String
        var gemm: String
        /// Number format of the forward and of input gradients.
        var precision: String
        var ranks: Int
        var threads: Int
        var batch: Int
        var micro: Int
        var dropout: Double
        /// Examples per second of all ranks: global batch divided by the median step.
        var examplesPerSecond: Double
        /// Source and target tokens per second.
        var tokensPerSecond: Double
        var stepSeconds: Spread
        /// Time of the products with frozen weights of the same micro-batches alone; the weights come from memory as in the
        /// step.
        var gemmSeconds: Spread
        /// Each step less the products of the same micro-batches, replayed right after it.
        var outsideSeconds: Spread
        /// `gemmSeconds` divided by `stepSeconds`, using the medians.
        var gemmShare: Double
        var gemmGigaflopsPerSecond: Double
        var pageFaultsPerStep: Double
        /// Calls of malloc and related functions, by all threads.
        var allocationsPerStep: Double
        /// Those calls in the same products alone: the library that computes them makes them.
        var productAllocationsPerStep: Double
        var memory: ProcessMemory
    }

    private let workload: Workload
    private let lengths: String
    private let steps: Int
    private let world: Communicator

    /// Prepares `steps` steps on examples of the lengths in a file, on all ranks.
    public init(_ workload: Workload, lengths: String, steps: Int, world: Communicator) {
        self.workload = workload
        self.lengths = lengths
        self.steps = steps
        self.world = world
    }

    /// Measures; collective.
    public func callAsFunction() throws(Failure) -> Report {
        let lengths = try world.rankZeroFirst { () throws(Failure) in try TokenLengths(path: self.lengths) }
        let model = try workload.openModel(longest: lengths.longest, world: world)
        return try measure(workload.trainer(model, lengths, world: world), model)
    }

    private func measure(_ measured: MeasuredTrainer, _ model: any Backbone) throws(Failure) -> Report {
        var sampler = try measured.sampler()
        var (seconds, replays, outside, operations, tokens) = ([Double](), [Double](), [Double](), 0.0, 0)
        let replay = FrozenReplay(model, measured.trainer.state.model.method, threads: workload.threads)
        seconds.reserveCapacity(steps)
        replays.reserveCapacity(steps)
        for _ in 0..<(try measured.warmUp()) { _ = replay.run(measured.trainer.microBatchRows(sampler.next())) }
        var (faults, allocations, productAllocations) = (0, 0, 0)
        // The products of a step are replayed right after it: a processor's rate may change from second to second.
        for _ in 0..<steps {
            let before = (faults: ProcessUsage.pageFaults, allocations: callocations_count())
            let step = try measured.step()
            faults += ProcessUsage.pageFaults - before.faults
            allocations += callocations_count() - before.allocations
            seconds.append(step.seconds)
            tokens += step.result.tasks.reduce(0) { $0 + Int($1.tokens + $1.sourceTokens) }
            let mine = measured.trainer.microBatchRows(sampler.next())
            try world.barrier()
            let beforeReplay = callocations_count()
            let replayed = replay.run(mine)
            productAllocations += callocations_count() - beforeReplay
            replays.append(replayed.seconds)
            outside.append(step.seconds - replayed.seconds)
            operations += replayed.operations
        }
        let (step, gemm) = (Spread(seconds), Spread(replays))
        return Report(
            model: workload.model, method: workload.method, gemm: workload.products.version,
            precision: workload.precision, ranks: world.size, threads: workload.threads, batch: workload.batch,
            micro: workload.micro, dropout: workload.dropout,
            examplesPerSecond: Double(workload.batch) / step.median,
            tokensPerSecond: Double(tokens) / Double(steps) / step.median, stepSeconds: step, gemmSeconds: gemm,
            outsideSeconds: Spread(outside), gemmShare: gemm.median / step.median,
            gemmGigaflopsPerSecond: operations / replays.reduce(0, +) * 1e-9,
            pageFaultsPerStep: Double(faults) / Double(steps), allocationsPerStep: Double(allocations) / Double(steps),
            productAllocationsPerStep: Double(productAllocations) / Double(steps), memory: ProcessMemory())
    }
}
