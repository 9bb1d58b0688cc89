import Adapters
import Backbone
import Backbones
import Configuration
import Exports
import Failures
import MPI
import Runs
import Tasks
import Tensors
import Training

/// Everything of a run that an export needs, without the run's model.
struct ExportSource {
    /// What becomes one directory: the adapter of one task, or the one of all.
    struct Part {
        /// The task, where it has an adapter of its own in the export; also the name of its directory.
        var task: String?
        /// The adapter without anything that depends on the example; nil for one that has no such form.
        var adapter: StaticAdapter?
        /// What was measured of it already.
        var changes: [MeasuredChange] = []
    }

    var run: RunDirectory
    var configuration: RunConfiguration
    var base: BaseName
    var definitions: [TaskDefinition]
    var cards: [CardTask]
    var evaluator: Evaluator
    var maximumLength: Int
    var threads: Int
    var aliases: [(name: String, of: String)]
    var method: any Method
    var weights: Arena
    var adapter: AdapterConfiguration
    var description: AdapterDescription
    var checkpoint: LoadedCheckpoint
    var parts: [Part]
    /// The split on which changes are measured, for one or all tasks; empty where nothing is measured.
    var evaluations: [EvaluationTask]
    /// The run's own answers to it.
    var own: [EvaluatedTask]

    /// Opens a run, refuses what cannot be exported, and computes what needs the run's model.
    static func read(
        _ path: String, _ format: ExportFormat, _ request: ExportCommand.Request, world: Communicator
    ) throws(Failure) -> ExportSource {
        let opened = try OpenedRun(path, checkpoint: request.checkpoint, model: request.model, world: world)
        let (base, shape) = (opened.base, opened.base.model.shape)
        guard let checkpoint = opened.checkpoint else {
            throw Failure(.internal, "the checkpoint is not known on rank 0; report this")
        }
        let tasks = try ExportRefusals.tasks(opened, format, asked: request.task)
        let lowRank = base.method as? LowRankMethod
        let isStar = lowRank?.options.method == .unoloraStar && format != .native
        let needsTexts = isStar && lowRank?.scalesReadTexts ?? false
        let measures = request.measures && (format == .merged || isStar)
        var session: RunSession?
        if needsTexts || measures {
            session = try RunSession(base, run: opened.run, comparedWith: checkpoint.identity) {
                present throws(Failure) in
                _ = try opened.changes(to: present, for: [.evaluation], areAllowed: request.allowsChanges)
            }
        } else {
            let present = base.identity(data: "", sources: nil)
            let uses = (tasks ?? base.taskNames).map { AdapterUse.prediction(task: $0) }
            _ = try opened.changes(to: present, for: uses, areAllowed: request.allowsChanges)
        }
        let team = opened.team()
        var source = ExportSource(
            run: opened.run, configuration: base.configuration,
            base: try BaseName(ofModel: base.configuration.model, given: request.baseName),
            definitions: base.definitions, cards: [], evaluator: base.evaluator,
            maximumLength: base.model.maximumLength, threads: opened.threads, aliases: shape.aliases(),
            method: base.method,
            weights: opened.model.weights, adapter: base.adapter, description: try base.description(),
            checkpoint: checkpoint,
            parts: (tasks ?? []).map { Part(task: $0) }, evaluations: [], own: [])
        for (definition, budget) in zip(base.definitions, base.budgets) {
            source.cards.append(try CardTask(definition, budget: budget, vocabulary: base.vocabulary))
        }
        if source.parts.isEmpty { source.parts = [Part()] }
        if let lowRank, format != .native {
            for (index, part) in source.parts.enumerated() {
                let task = part.task.flatMap(base.taskNames.firstIndex) ?? 0
                source.parts[index].adapter = StaticAdapter(
                    lowRank, weights: source.weights.readOnly, task: task,
                    scales: isStar
                        ? meanScales(
                            of: task, lowRank, source.weights.readOnly, session, threads: opened.threads) : nil)
            }
        }
        guard measures, let session else { return source }
        source.evaluations = session.evaluationTasks(.validation, names: tasks)
        let examples = source.evaluations.reduce(0) { $0 + $1.gold.count }
        Terminal.complain("measuring on \(examples) validation examples, once with the run's own adapter")
        source.own = try base.evaluator.evaluate(source.evaluations, team: team, over: nil)
        if format == .peft, let lowRank {
            // The same base serves for all of them.
            for (index, part) in source.parts.enumerated() {
                guard let adapter = part.adapter else { continue }
                let model = adapter.applied(to: base.model, like: lowRank.options)
                source.parts[index].changes = try source.changes(part, computedBy: model)
            }
        }
        try session.inputs.check(on: world, MappedInputs.noFigures)
        return source
    }

    /// The mean scales of a task over its training texts, `[sites, rankA]`.
    private static func meanScales(
        of task: Int, _ method: LowRankMethod, _ weights: ReadOnlyArena, _ session: RunSession?, threads: Int
    ) -> [Double] {
        if let data = session?.data, method.scalesReadTexts {
            Terminal.complain(
                "mean scales over \(data.trainingCount(task: task)) training texts of \(data.cache.tasks[task].name)")
        }
        let scales =
            session?.trainingScales(method, of: task, weights: weights, threads: threads)
            ?? method.scales(task: task, weights: weights)
        return scales?.mean.flatMap(\.self) ?? []
    }

    /// How the figures of a part's tasks differ between the run's own adapter and a model with what is exported.
    func changes(_ part: Part, computedBy model: AdaptedModel) throws(Failure) -> [MeasuredChange] {
        let places = evaluations.indices.filter { part.task == nil || evaluations[$0].name == part.task }
        guard !places.isEmpty else { return [] }
        let team = EngineTeam(answering: model, threads: threads)
        let found = try evaluator.evaluate(places.map { evaluations[$0] }, team: team, over: nil)
        return zip(places, found).map { MeasuredChange(own[$0], $1) }
    }
}
