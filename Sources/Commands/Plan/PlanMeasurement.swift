import Adapters
import Backbone
import Checkpoints
import Configuration
import Failures
import Foundation
import Kernels
import MPI
import Optimizers
import Runs
import Tasks
import Tensors
import Training

/// Measures the parts of a run on this machine with the code that the run uses: its model, its adapter, some of its steps, some of its
/// answers and one checkpoint. Nothing of it is kept, and the run directory is not touched.
struct PlanMeasurement {
    /// The run that is measured, and where.
    struct Subject {
        let configuration: RunConfiguration
        let data: PlannedData
        let planned: PlannedAnswers
        /// Ranks of the run, and micro-batches that a thread of it computes in turn.
        let ranks: Int
        let inTurn: Int
        /// Threads of all ranks of a node.
        let nodeThreads: Int
        /// Expected seconds of a micro-batch and of an operation of an answer, which decide how much is measured at once.
        let guess: (microBatch: Double, answer: Double)
        /// The largest size of a worker's memory for activations, in bytes.
        let workspace: Int
    }

    /// The largest part of a step, or of a task's answers, that is measured at once, in expected seconds.
    private static let secondsAtOnce = 1.5

    let subject: Subject
    let world: Communicator
    let threads: Int
    let base: RunModel
    let trainer: Trainer
    let checkpoints: RunCheckpoints
    let examples: SampledExamples
    /// Examples of a measured step.
    let batch: Int
    /// The steps of the measurement, the first of which is only to warm up.
    let steps: [Int]
    /// The answers that may be measured.
    let windows: [Window]
    /// What opening the model and everything else but the data took.
    let opening: RunPace.Cost

    var configuration: RunConfiguration { subject.configuration }

    /// Measures; collective. `start` is what the process has taken until MPI was started, `data` what opening the data takes.
    static func pace(
        _ subject: Subject, start: RunPace.Cost, data: DataStart, world: Communicator, overlaps: Bool
    ) throws(Failure) -> RunPace {
        let directory = TemporaryFile.path(beside: NSTemporaryDirectory() + "/unolora-plan")
        // What earlier measurements left that were killed.
        for left in TemporaryFile.staleDirectories(in: NSTemporaryDirectory(), of: "unolora-plan") {
            try? FileManager.default.removeItem(atPath: left)
        }
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let measurement = try PlanMeasurement(subject, in: RunDirectory(directory), world: world, overlaps: overlaps)
        let (unit, step, spread, count) = try measurement.measureSteps()
        let checkpoint = try measurement.measureCheckpoint()
        let (answers, answered) = try measurement.measureAnswers()
        let sum = world.size > 1 ? "with" : subject.ranks > 1 ? "without" : nil
        let range = "\(percent(spread.lowerBound)) to \(percent(spread.upperBound))"
        let microBatches = measurement.batch / subject.configuration.microBatch
        return RunPace(
            start: start + measurement.opening + data.cost, unit: unit, step: step, answers: answers,
            checkpoint: checkpoint,
            hasTokenCache: data.hasCache,
            sources: [
                "measured now on \(ProcessInfo.processInfo.hostName) with \(world.size) rank(s) x \(measurement.threads) thread(s): "
                    + "\(count) steps of \(microBatches) micro-batch(es),",
                "\(range) beside their mean, \(sum.map { "\($0) the sum over the ranks, " } ?? "")\(answered), a checkpoint in "
                    + NSTemporaryDirectory(),
            ], isMeasured: true)
    }

    private static func percent(_ factor: Double) -> String { String(format: "%+.0f %%", 100 * (factor - 1)) }

    /// Opens everything as `train` does, with the examples of the steps and answers that will be measured.
    private init(
        _ subject: Subject, in run: RunDirectory, world: Communicator, overlaps: Bool
    ) throws(Failure) {
        let (configuration, data) = (subject.configuration, subject.data)
        (self.subject, self.world) = (subject, world)
        let choice = try ThreadChoice(
            requested: configuration.threads, world: world,
            microBatches: configuration.globalBatch / configuration.microBatch)
        // One process computes on as many cores as all ranks of a node will, which share the node's memory and caches.
        threads = world.size > 1 ? choice.threads : max(1, min(choice.cores.count, subject.nodeThreads))
        let rounds = max(1, min(subject.inTurn, Int(Self.secondsAtOnce / max(subject.guess.microBatch, 1e-9))))
        batch = min(configuration.globalBatch, world.size * threads * rounds * configuration.microBatch)
        let drawn = try Self.chooseSteps(configuration, data, batch: batch, ranks: world.size, threads: threads)
        steps = drawn.steps
        windows = Self.windows(
            subject, workers: world.size * threads, most: Self.secondsAtOnce / max(subject.guess.answer, 1e-30))
        examples = try SampledExamples(
            drawn.places
                + windows.flatMap { window in
                    window.examples.map {
                        SampledExamples.Place(task: window.part.task, split: window.part.split, example: $0)
                    }
                }, of: data, maxSource: configuration.maxSource, maxTarget: configuration.maxTarget)
        let watch = Watch()
        base = try RunModel(configuration, training: true, isNew: true, world: world)
        let state = TrainState(base.method, on: base.model, seed: configuration.seed)
        if configuration.averagesGradients {
            state.averages = TaskAverages(tasks: data.tasks.count, parameters: state.trained.count)
        }
        let store = CheckpointStore(runDirectory: run.path)
        checkpoints = RunCheckpoints(
            store: store,
            constants: RunCheckpoints.Constants(
                adapter: base.adapter, layout: state.parameters, trained: state.trained,
                modelFiles: try base.modelFiles(), description: try base.description(),
                identity: base.identity(data: "", sources: nil),
                libraries: base.libraries, seed: configuration.seed,
                steps: configuration.steps, keep: 1, inputs: MappedInputs(base.model)),
            run: run)
        if world.rank == 0 {
            try run.create()
            try store.prepare()
            if configuration.keepsSnapshotFile { checkpoints.keep(in: try SnapshotFile(run)) }
        }
        var options = configuration.trainOptions(modelDropout: base.model.shape.dropoutRate, check: 0)
        // The weights stay as they are: the steps are not consecutive ones.
        options.schedule.peak = 0
        options.skipsNonFinite = true
        // What is computed once more in some steps is counted apart.
        if configuration.recomputesEvery != nil { options.interferenceEvery = nil }
        trainer = try Trainer(
            state: state, examples: examples, sampler: configuration.sampler(data.mixture, batch: batch),
            taskNames: base.taskNames, options: options, threads: threads, communicator: world,
            workspaceBytes: subject.workspace, overlaps: overlaps)
        opening = watch.cost
    }
}
