import Adapters
import Checkpoints
import Configuration
import Failures
import Foundation
import Kernels
import Logging
import MPI
import T5
import Tasks
import Tensors

/// `train`: the main job, from configuration to the table at the end.
public struct TrainRun {
    /// What the command line says beside the configuration.
    public struct Request: Sendable {
        /// The run directory.
        public var out: String
        /// Where to continue from.
        public var resume: ResumeChoice
        /// When to leave early.
        public var stop: StopConditions

        /// Creates a request.
        public init(out: String, resume: ResumeChoice = .auto, stop: StopConditions = StopConditions()) {
            self.out = out
            self.resume = resume
            self.stop = stop
        }
    }

    private let configuration: RunConfiguration
    private let request: Request
    private let world: Communicator
    private let library: MPIEnvironment.Library
    private let run: RunDirectory

    /// Prepares a run on all ranks.
    public init(
        _ configuration: RunConfiguration, _ request: Request, world: Communicator, library: MPIEnvironment.Library
    ) {
        self.configuration = configuration
        self.request = request
        self.world = world
        self.library = library
        run = RunDirectory(request.out)
    }

    /// Trains; collective. Returns the exit code. A failure is also written into `STATUS.json` by the rank that met it.
    public func callAsFunction() throws(Failure) -> Int32 {
        try world.rankZeroFirst { () throws(Failure) in try configuration.checkRanks(world.size) }
        try world.rankZeroFirst { () throws(Failure) in try run.create() }
        // A job that is refused here must not touch what belongs to the one that has the directory.
        let lock = world.rank == 0 ? try RunLock(run) : nil
        defer { withExtendedLifetime(lock) {} }
        try world.barrier()
        do throws(Failure) {
            return try train()
        } catch {
            recordFailure(error)
            throw error
        }
    }

    private func train() throws(Failure) -> Int32 {
        let session = try RunSession(configuration, run: run, world: world)
        let state = TrainState(layout: session.base.layout, seed: configuration.seed)
        let identity = self.identity(session)
        let check = try Agreement.check(identity, world: world)
        let libraries = RunEnvironment.libraries
        let store = CheckpointStore(runDirectory: run.path)
        if world.rank == 0 { try store.prepare() }
        let resumption = Resumption(
            store: store, choice: request.resume, identity: identity, libraries: libraries, say: say)
        let resumed = try resumption.load(state, world: world)
        let threads = try ThreadChoice(
            requested: configuration.threads, world: world,
            microBatches: configuration.globalBatch / configuration.microBatch)
        let log = try makeLog()
        let writer = world.rank == 0 ? try makeWriter(session, state, store, identity, libraries) : nil
        try RunEnvironment.write(run, world: world, library: library, threads: threads)
        announce(session, threads, state)
        let trainer = Trainer(
            model: session.base.model, state: state, examples: session.data,
            sampler: try configuration.sampler(session.mixture()), taskNames: session.taskNames,
            options: configuration.trainOptions(
                modelDropout: session.base.model.configuration.dropoutRate, check: check),
            threads: threads.threads, communicator: world)
        let evaluator = session.base.evaluator
        let loop = TrainLoop(
            trainer: trainer, options: loopOptions, world: world, evaluator: evaluator,
            evaluationTasks: session.evaluationTasks(
                SplitName(rawValue: configuration.evaluationSplit), limit: configuration.evaluationMaxExamples),
            taskNames: session.taskNames, writer: writer, log: log,
            resumed: resumed.map { ($0.accumulator, $0.best) })
        switch try loop.run() {
        case .stopped(let reason):
            say("stopped after step \(state.step) of \(configuration.steps): \(reason); start again to continue")
            try writer?.status(.preempted, "\(reason)", step: state.step, exitCode: reason.exitCode)
            return reason.exitCode
        case .finished:
            if configuration.evaluatesAtEnd {
                try FinalReport(
                    session: session, trainer: trainer, evaluator: evaluator, store: store, run: run, writer: writer,
                    spread: configuration.evaluatesOnAllRanks
                ).make()
            }
            try writer?.status(.finished, "all steps done", step: state.step, exitCode: 0)
            say("run directory: \(run.path)")
            return 0
        }
    }

    private var loopOptions: LoopOptions {
        LoopOptions(
            steps: configuration.steps, logEvery: configuration.logEvery, evaluateEvery: configuration.evaluateEvery,
            evaluatesLast: configuration.evaluatesAtEnd, split: configuration.evaluationSplit,
            best: BestMeasure(rawValue: configuration.checkpointBest) ?? .average,
            evaluatesOnAllRanks: configuration.evaluatesOnAllRanks, checkpointEvery: configuration.checkpointEvery,
            stop: request.stop)
    }

    private func identity(_ session: RunSession) -> RunState.Identity {
        RunState.Identity(
            configuration: configuration.resultText,
            layout: ContentDigest(of: session.base.layout.parameters.canonicalText).hexadecimal,
            backbone: session.base.backbone, data: session.data.digest)
    }

    private func makeLog() throws(Failure) -> Logger {
        let handler = try RankLogHandler(path: run.log(rank: world.rank))
        return Logger(label: "unolora-dist") { _ in handler }
    }

    private func makeWriter(
        _ session: RunSession, _ state: TrainState, _ store: CheckpointStore, _ identity: RunState.Identity,
        _ libraries: [String: String]
    ) throws(Failure) -> RunWriter {
        try DurableFile.replace(run.configuration) { file throws(Failure) in
            try file.write(configuration.resolvedYAML)
        }
        var labels: [String: [String]] = [:]
        for definition in session.base.definitions {
            if case .classes(let answers) = definition.answers { labels[definition.name] = answers }
        }
        let adapter = AdapterConfiguration(
            session.base.layout.options, taskNames: session.taskNames, labels: labels)
        return try RunWriter(
            run: run, store: store,
            constants: RunWriter.Constants(
                adapter: adapter, identity: identity, libraries: libraries, seed: configuration.seed,
                steps: configuration.steps, keep: configuration.checkpointKeep), step: state.step,
            drawsCurves: configuration.writesTensorBoard)
    }

    private func announce(_ session: RunSession, _ threads: ThreadChoice, _ state: TrainState) {
        let backbone = session.base.model.configuration.weightCount
        say(
            "\(configuration.method) on \(configuration.model): \(state.weights.count) trainable of \(backbone) weights, "
                + "\(session.taskNames.count) tasks, \(world.size) rank(s) x \(threads.threads) thread(s)")
        for warning in configuration.warnings + threads.warnings { say("warning: \(warning)") }
    }

    private func say(_ line: String) {
        guard world.rank == 0 else { return }
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    /// Tells in `STATUS.json` how the run failed; what cannot be written then must not hide the failure itself.
    private func recordFailure(_ failure: Failure) {
        guard FileManager.default.fileExists(atPath: run.path) else { return }
        let before = RunStatus.read(run)
        try? RunStatus(
            state: .failed, reason: "rank \(world.rank): \(failure.message)", exitCode: failure.code.rawValue,
            step: before?.step ?? 0, lastDurableStep: before?.lastDurableStep, steps: configuration.steps,
            time: Date().timeIntervalSince1970
        ).write(to: run)
    }
}
