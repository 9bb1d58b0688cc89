import Adapters
import Backbone
import Backbones
public import Configuration
public import Failures
import Foundation
import Kernels
public import MPI
public import Runs
import Training

/// `plan`: predicts counts, memory, traffic, mixture and time of a run, without training.
public struct Plan {
    /// A job that measures times instead of guessing them.
    public struct Measuring {
        let world: Communicator
        /// What the process has taken until MPI was started.
        let start: RunPace.Cost
        /// Whether MPI allows several threads on all ranks.
        let overlaps: Bool

        /// Takes the times of the process so far; collective.
        public init(_ mpi: borrowing MPIEnvironment, _ startup: StartupTimes) throws(Failure) {
            start = RunPace.Cost(
                seconds: startup.record.seconds, processorSeconds: ProcessorTime.ofThisProcess)
            world = mpi.world
            overlaps = try mpi.world.allReduce(.minimum, Int64(mpi.library.threadLevel == .multiple ? 1 : 0)) == 1
        }
    }

    let configuration: RunConfiguration
    let shape: any BackboneShape
    let method: any Method
    let ranks: Int
    let ranksPerNode: Int
    /// The largest number of a step's micro-batches that one rank has.
    private let own: Int
    let threads: Int
    /// Threads of a rank that pack weights, for which the number of micro-batches does not count.
    let packingThreads: Int
    let products: ProductBackend

    /// Reads the model's shape; the weights need not be there. `threads` are those of a rank, unless the configuration names a
    /// number; nil for an equal share of the cores. `newTasks` are the tasks that the run's origin does not have
    /// (`hyper.onlyNewTasks`); nil to read the origin where that counts.
    public init(
        _ configuration: RunConfiguration, ranks: Int, ranksPerNode: Int, threads: Int? = nil, newTasks: [String]? = nil
    ) throws(Failure) {
        guard ranks >= 1, ranksPerNode >= 1, ranksPerNode <= ranks else {
            throw Failure(.usage, "--ranks and --ranks-per-node must be at least 1, the second at most the first")
        }
        try configuration.checkRanks(ranks)
        self.configuration = configuration
        products = try ProductBackend(configuration)
        self.ranks = ranks
        self.ranksPerNode = ranksPerNode
        shape = try Backbones.shape(directory: configuration.model)
        let new = if let newTasks { newTasks } else { try configuration.newTasks() }
        method = try configuration.method(shape, isNew: true, newTasks: new).method
        // The plan assumes that every node has the cores that this process may use.
        let node = Array(repeating: AvailableCores.ofThisProcess(), count: ranksPerNode)
        own = ThreadChoice.largestShare(
            ofMicroBatches: configuration.globalBatch / configuration.microBatch, ranks: ranks)
        let share = AvailableCores.shares(of: node)[0]
        let requested = configuration.threads ?? threads
        self.threads = ThreadChoice.threads(requested: requested, fairShare: share, own: own)
        packingThreads = ThreadChoice.threads(requested: requested, fairShare: share, own: .max)
    }

    /// Makes the plan; collective with `measuring`, which measures the times. The token cache in the directory `run`, or in
    /// `data.cache`, counts if it is there; nothing is written there.
    public func report(of run: RunDirectory, measuring: Measuring? = nil) throws(Failure) -> PlanReport {
        if let size = measuring?.world.size, size > 1, size != ranks {
            throw Failure(
                .usage,
                "--measure under mpirun or srun measures the \(size) ranks that it started; --ranks \(ranks) is "
                    + "another number: leave it out, or start one process")
        }
        let data = try PlannedData(configuration, shape)
        let memory = try RankMemory(
            configuration, shape: shape, method: method, threads: threads, ranks: ranks,
            longestTarget: data.longestTarget, batches: data.batches)
        let forecast = try forecast(data, memory, run, measuring)
        return PlanReport(self, data, memory, forecast)
    }

    /// The number of examples of a step that one thread computes in sequence, when a rank has `own` micro-batches of `micro`
    /// examples: one thread computes a whole micro-batch, and the step waits for the last one.
    static func examplesInTurn(own: Int, threads: Int, micro: Int) -> Int {
        let busy = max(1, min(threads, own))
        return (own + busy - 1) / busy * micro
    }

    var examplesInTurn: Int { Self.examplesInTurn(own: own, threads: threads, micro: configuration.microBatch) }

    /// Operations of a training example, as the mixture draws them.
    func operationsPerExample(_ data: PlannedData) -> Double {
        // The gradients of all weights take as much as those of the inputs.
        let weights = configuration.trainsWholeModel ? 1.5 : 1
        return weights * shape.operations(source: data.meanSource, target: target(data))
    }

    /// Tokens of a target, at most.
    func target(_ data: PlannedData) -> Double {
        Double(max(configuration.padTargets ?? 0, data.longestTarget))
    }

    /// A warning about threads that a rank has no micro-batches for.
    var idleWarning: String? { ThreadChoice.idleWarning(threads: threads, own: own) }

    /// Predicts the times of the run's parts.
    private func forecast(
        _ data: PlannedData, _ memory: RankMemory, _ run: RunDirectory, _ measuring: Measuring?
    ) throws(Failure) -> RunForecast {
        let work = try DrawnSteps.mean(configuration, data.mixture, data.lengths, ranks: ranks, threads: threads)
        let planned = PlannedAnswers(configuration, shape, data)
        let start = try DataStart(configuration, data, run: run)
        let perExample = work.all / Double(configuration.globalBatch)
        var pace = RunPace(
            guessing: configuration, products: products, rate: RunPace.productRate(),
            perExample: operationsPerExample(data), cost: perExample, tasks: data.tasks.count,
            modelBytes: shape.weightBytes(.float32), checkpointBytes: memory.snapshotBytes(1), data: start)
        if let measuring {
            let subject = PlanMeasurement.Subject(
                configuration: configuration, data: data, planned: planned, ranks: ranks,
                inTurn: examplesInTurn / configuration.microBatch, nodeThreads: ranksPerNode * threads,
                guess: (pace.unit.seconds * perExample * Double(configuration.microBatch), pace.answers[0].seconds),
                workspace: memory.workspace)
            pace = try PlanMeasurement.pace(
                subject, start: measuring.start, data: start, world: measuring.world, overlaps: measuring.overlaps)
        }
        // The run compares its products with those in float32 on some examples, one after the other.
        let compares = products.meaning(of: configuration.products) != .float32 || configuration.storage != .float32
        return RunForecast(
            configuration, work, planned, pace, ranks: ranks, threads: threads,
            precision: compares ? 2 * Double(RunSession.precisionExamples) * perExample : 0)
    }
}
