import Backbone
import Checkpoints
public import Configuration
public import Failures
import Foundation
import Logging
public import MPI
public import Runs
import Tasks
import Tensors
import Training

/// `train`: the main command, from the configuration to the table at the end.
public struct TrainCommand {
    /// The options of the command line, apart from the configuration.
    public struct Request: Sendable {
        /// The run directory.
        public var out: String
        /// The file with the user's configuration; nil when there is none.
        public var source: String?
        /// Whether the configuration is that of the embedded example in `out`, which is written unless it exists.
        public var isExample: Bool
        /// Where to continue from.
        public var resume: ResumeChoice
        /// When to leave early.
        public var stop: StopConditions
        /// How long to wait for a job that still holds the run directory.
        public var patience: Duration
        /// Whether a run that another job has finished while this one waited for the directory is left as it is.
        public var leavesFinished: Bool
        /// For a replay, which is compared with another run: the steps for which that run has lines.
        public var replayedLines: Set<Int>?
        /// For a replay: the other run's identity and checkpoint; on rank 0.
        var replayed: (identity: RunState.Identity, path: String)?

        /// Creates a request.
        public init(
            out: String, source: String? = nil, isExample: Bool = false, resume: ResumeChoice = .auto,
            stop: StopConditions = StopConditions(), patience: Duration = .seconds(2), leavesFinished: Bool = false,
            replayedLines: Set<Int>? = nil
        ) {
            self.patience = patience
            self.leavesFinished = leavesFinished
            self.out = out
            self.source = source
            self.isExample = isExample
            self.resume = resume
            self.stop = stop
            self.replayedLines = replayedLines
        }
    }

    let configuration: RunConfiguration
    let request: Request
    let world: Communicator
    private let library: MPIEnvironment.Library
    let run: RunDirectory
    let ending: RunEnding
    private var startup: StartupTimes
    private(set) var hasOtherNodes = false
    /// Whether MPI allows several threads on all ranks.
    private var allowsThreads = false

    /// Prepares a run on all ranks; `startup` has the times before MPI was started.
    public init(
        _ configuration: RunConfiguration, _ request: Request, world: Communicator, library: MPIEnvironment.Library,
        startup: StartupTimes
    ) {
        self.startup = startup
        self.configuration = configuration
        self.request = request
        self.world = world
        self.library = library
        run = RunDirectory(request.out)
        ending = RunEnding(run, steps: configuration.steps, ranks: world.size)
    }

    /// Trains; collective. Returns the exit code. The rank with a failure also records it in `STATUS.json`.
    public mutating func callAsFunction() throws(Failure) -> Int32 {
        try world.rankZeroFirst { () throws(Failure) in try configuration.checkRanks(world.size) }
        if request.isExample { try EmbeddedExample.prepare(in: run, world: world) }
        try world.rankZeroFirst { () throws(Failure) in try run.create() }
        // A job that is refused here must not change anything of the job that holds the directory.
        let lock = world.rank == 0 ? try takeRunDirectory() : nil
        defer { withExtendedLifetime(lock) {} }
        try world.idleBarrier()
        if let id = try world.share(lock?.lease?.id, "the lease of the run directory") {
            run.owner.claims(run.path, lease: RunLock.leasePath(of: run.lock), id: id, isSeen: world.rank == 0)
        }
        if request.leavesFinished,
            try world.share(RunStatus.read(run)?.state == .finished, "whether another job has finished the run")
        {
            say("another job has finished the run")
            return 0
        }
        let snapshots = LastSnapshot(ending: ending)
        let failed = whatFailureDoes(snapshots)
        var monitor: HealthMonitor?
        do throws(Failure) {
            let node = try world.nodeCommunicator()
            hasOtherNodes = node.size < world.size
            // A rank alone must not begin what the others leave out.
            allowsThreads = try world.allReduce(.minimum, Int64(library.threadLevel == .multiple ? 1 : 0)) == 1
            let watching = try HealthMonitor(
                world: world, node: node, threads: allowsThreads ? .multiple : .funneled, actions: snapshots.actions)
            monitor = watching
            watching.limit(.seconds(configuration.stallTimeout))
            Memory.onShortage { [weak watching] failure in
                if let watching { failed(failure, watching) }
            }
            let code = try train(snapshots)
            // Until all ranks are done, the others may be waiting for one that is lost.
            try world.idleBarrier()
            watching.stop()
            StopSignals.release()
            return code
        } catch {
            failed(error, monitor)
            throw error
        }
    }

    private mutating func train(_ snapshots: LastSnapshot) throws(Failure) -> Int32 {
        startup.finished(.configuration)
        let isNew = try world.share(
            request.replayedLines == nil && !FileManager.default.fileExists(atPath: run.configuration),
            "whether the run is new")
        // What decided the steps of a checkpoint cannot be chosen any more.
        let hasBegun = try world.rankZeroFirst { [run] () throws(Failure) in
            try !CheckpointStore(runDirectory: run.path).steps().isEmpty
        }
        var base = try RunModel(
            configuration, training: true, isNew: isNew,
            freedom: request.replayedLines == nil && !hasBegun ? .configuration : .nothing,
            world: world
        ) { startup.finished($0) }
        let origin = try base.openOrigin(of: run, request.resume)
        if let origin { try base.take(origin) }
        if let reason = try requestedStop() { return leaveUnbegun(reason) }
        let session = try RunSession(base, run: run, comparedWith: request.replayed?.identity) {
            [replayed = request.replayed] present throws(Failure) in
            if let replayed { try replayed.identity.refuseReplay(as: present, path: replayed.path) }
        }
        let statistics =
            world.rank == 0
            ? DataStatistics(session.data.cache.tasks, of: base.definitions, maxSource: configuration.maxSource) : nil
        startup.finished(.data)
        if let reason = try requestedStop() { return leaveUnbegun(reason) }
        let state = TrainState(session.base.method, on: session.base.model, seed: configuration.seed)
        if configuration.averagesGradients {
            state.averages = TaskAverages(tasks: session.taskNames.count, parameters: state.trained.count)
        }
        let beginnings = try origin.map { origin throws(Failure) in
            try session.base.begin(state.weights, from: origin)
        }
        let identity = session.identity
        let measure = BestMeasure(configuration, base.definitions)
        let check = try Agreement.check(
            [
                .configuration(configuration), .init(name: "model", text: identity.backbone),
                .init(name: "list of trainables", text: identity.layout),
                .init(name: "tokenised data", text: identity.data),
                .init(name: "program version", text: ProgramVersion.current),
            ], world: world)
        let libraries = session.base.libraries
        let store = CheckpointStore(runDirectory: run.path)
        var unfinished: Int?
        if world.rank == 0 {
            try run.owner.check()
            unfinished = try store.prepare()
        }
        let checkpoints = RunCheckpoints(
            store: store,
            constants: RunCheckpoints.Constants(
                adapter: session.base.adapter, layout: state.parameters, trained: state.trained,
                modelFiles: try session.base.modelFiles(),
                description: try world.rankZeroFirst { () throws(Failure) in try session.base.description() },
                identity: identity, libraries: libraries,
                seed: configuration.seed, steps: configuration.steps,
                keep: configuration.checkpointKeep, inputs: session.inputs),
            run: run)
        if world.rank == 0 {
            try recover(checkpoints, identity)
            if let unfinished { try report(unfinished: unfinished, in: store) }
        }
        let resumption = Resumption(
            store: store, choice: request.resume, identity: identity, libraries: libraries, measure: measure,
            earlier: world.rank == 0 ? try? RunConfiguration.load(file: run.configuration) : nil,
            tasks: session.taskNames, say: say)
        let resumed = try resumption.load(state, world: world)
        if resumed == nil {
            if world.rank == 0 { try origin?.refuseStartWithout() }
            for sentence in beginnings ?? [] { say(sentence) }
        }
        ending.accept(libraries)
        let threads = try ThreadChoice(
            requested: configuration.threads, world: world,
            microBatches: configuration.globalBatch / configuration.microBatch)
        let log = try makeLog()
        for remark in resumed?.remarks ?? [] { log.notice("\(remark)") }
        if world.rank == 0 {
            try run.owner.check()
            SnapshotFile.remove(run)
            if configuration.keepsSnapshotFile { checkpoints.keep(in: try SnapshotFile(run)) }
        }
        let writer = world.rank == 0 ? try makeWriter(state, checkpoints, resumed) : nil
        let precision = try measurePrecision(session, state)
        // Without an estimate, a workspace grows as needed.
        let memory = try? session.memory(threads: threads.threads, looks: world.rank == 0)
        announce(session, statistics, threads, state, memory)
        if let precision {
            say(precision.summary)
            log.info("\(precision.summary)")
        }
        let trainer = Trainer(
            state: state, examples: session.data,
            sampler: try configuration.sampler(session.mixture()), taskNames: session.taskNames,
            options: configuration.trainOptions(
                modelDropout: session.base.model.shape.dropoutRate, check: check),
            threads: threads.threads, communicator: world, workspaceBytes: memory?.workspace,
            overlaps: allowsThreads)
        let stop = EvaluationStop(request.stop, world: world)
        var evaluator = session.base.evaluator
        evaluator.generator.isGivenUp = stop.isGivenUp
        let loop = TrainLoop(
            trainer: trainer, options: LoopOptions(configuration, stop: request.stop, logSteps: request.replayedLines),
            world: world,
            evaluation: LoopEvaluation(
                evaluator: evaluator, stop: stop,
                tasks: session.evaluationTasks(
                    SplitName(rawValue: configuration.evaluationSplit), limit: configuration.evaluationMaxExamples),
                best: measure, maxExamples: configuration.evaluationMaxExamples,
                isSpread: configuration.evaluatesOnAllRanks),
            taskNames: session.taskNames, checkpoints: checkpoints, writer: writer,
            histograms: world.rank == 0 && configuration.writesTensorBoard ? RunHistograms(session, state) : nil,
            log: log,
            resumed: resumed?.state)
        startup.finished(.state)
        try EnvironmentRecord.write(
            run, world: world, library: library, libraries: base.libraries, threads: threads, precision: precision,
            startup: startup, origin: origin.map { .init(path: $0.path, digest: $0.digest) })
        try statistics?.write(to: run)
        // The collective above came after rank 0 took the run directory.
        ending.begin()
        snapshots.watch(checkpoints)
        if case .stopped(let reason) = try loop.run() { return try leave(reason, state) }
        if configuration.evaluatesAtEnd {
            let report = FinalReport(
                session: session, trainer: trainer, evaluator: evaluator, checkpoints: checkpoints, run: run,
                writer: writer, spread: configuration.evaluatesOnAllRanks)
            if let reason = try report.make(stop) { return try leave(reason, state) }
        }
        if world.rank == 0 {
            try writer?.drawEnd(Event.end, of: state.step)
            try run.owner.check()
            SnapshotFile.remove(run)
            try ending.ended(.finished, "all steps done", step: state.step, exitCode: 0)
        }
        if request.replayedLines == nil { say("run directory: \(run.path)") }
        return 0
    }

    /// Measures the effect of `model.storage` and `model.products` on this model and data, on rank 0. Nil when they have no
    /// effect, or when only a copy in float32 could show it. The other ranks wait for as long as two batches take, and do not
    /// get the result, since nothing depends on it.
    private func measurePrecision(_ session: RunSession, _ state: TrainState) throws(Failure) -> PrecisionReport? {
        let changes = session.base.meaningOfProducts != .float32 || session.base.model.isRoundedFromMapped
        guard world.rank == 0, changes else { return nil }
        return try session.precision(state.model, step: state.step, examples: RunSession.precisionExamples)
    }

    func say(_ line: String) {
        guard world.rank == 0 else { return }
        Terminal.say(line)
    }
}
