import Backbone
public import Failures
public import MPI
import Tensors
import Training

/// `reduce`: the exact sum of a step over threads and ranks, and its share of the step.
///
/// A real step precedes every measurement, so that the caches are filled as in a step. The time of a part is that of the
/// slowest rank; the ranks' wait for each other before the sum over ranks is not counted.
public struct ReduceBenchmark {
    /// The measurements; one JSON object.
    public struct Report: Encodable, Sendable {
        var benchmark = "reduce"
        var model: String
        var method: String
        var gemm: String
        var ranks: Int
        var threads: Int
        var batch: Int
        var micro: Int
        /// Trainable weights.
        var trainables: Int
        /// Bytes that each rank contributes to the sum over the ranks.
        var bytes: Int
        /// Adding gradients of micro-batches as whole numbers, for as many micro-batches as the busiest worker has.
        var packSeconds: Spread
        /// MPI_Allreduce.
        var allReduceSeconds: Spread
        /// Converting whole numbers to the gradient and its norm, twice: a step does it once for the norm and once for the
        /// update. The update uses all threads, so this is an upper bound.
        var unpackSeconds: Spread
        /// The sum of these times.
        var reductionSeconds: Spread
        var stepSeconds: Spread
        /// `reductionSeconds` divided by `stepSeconds`, using the medians.
        var share: Double
    }

    private let workload: Workload
    private let lengths: String
    private let steps: Int
    private let world: Communicator

    /// Prepares `steps` measurements with examples of the lengths in a file, on all ranks.
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
        let measured = try workload.trainer(model, lengths, world: world)
        let reduction = measured.trainer.reduction
        try measured.warmUp()
        var parts = [[Double]](repeating: [], count: 3)
        var (seconds, sums) = ([Double](), [Double]())
        for _ in 0..<steps {
            seconds.append(try slowest(measured.step().seconds))
            let packs = Double(packsOfBusiestWorker)
            var times = [0.0, 0, 0]
            times[0] = try time { reduction.pack() } * packs
            times[1] = try time { () throws(Failure) in try reduction.sumRanks() }
            times[2] = 2 * (try time { reduction.unpack() })
            for (part, time) in times.enumerated() { parts[part].append(time) }
            sums.append(times.reduce(0, +))
        }
        let (reductionSeconds, stepSeconds) = (Spread(sums), Spread(seconds))
        return Report(
            model: workload.model, method: workload.method, gemm: workload.products.version, ranks: world.size,
            threads: workload.threads, batch: workload.batch, micro: workload.micro,
            trainables: measured.trainer.state.trained.count, bytes: reduction.bytes,
            packSeconds: Spread(parts[0]), allReduceSeconds: Spread(parts[1]),
            unpackSeconds: Spread(parts[2]), reductionSeconds: reductionSeconds, stepSeconds: stepSeconds,
            share: reductionSeconds.median / stepSeconds.median)
    }

    /// Micro-batches of a step per worker of all ranks, rounded up.
    private var packsOfBusiestWorker: Int {
        let microBatches = (workload.batch + workload.micro - 1) / workload.micro
        let workers = world.size * workload.threads
        return (microBatches + workers - 1) / workers
    }

    /// Seconds that the slowest rank needs for `body`, which all ranks begin together; collective.
    private func time(_ body: () throws(Failure) -> Void) throws(Failure) -> Double {
        try world.barrier()
        let begun = ContinuousClock.now
        try body()
        return try slowest(begun.duration(to: .now).inSeconds)
    }

    private func slowest(_ seconds: Double) throws(Failure) -> Double { try world.allReduce(.maximum, seconds) }
}
