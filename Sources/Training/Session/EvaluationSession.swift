import Backbone
package import Configuration
package import Failures
import MPI
package import Runs
package import Tasks
package import Tensors
import Text

/// What an evaluation reads: the run's own data, and other files in the place of some of its tasks.
package struct EvaluationSession {
    let base: RunModel
    /// The run's own data; nil where every task that is evaluated comes from other files, so that it need not be there.
    let own: RunSession?
    /// Which of the run's own tasks are evaluated; nil for all.
    let names: [String]?
    package let standIns: [StandIn]
    /// The tokenised other files, a task for each of `standIns`.
    let other: RunData?
    /// Generation budget of each of `standIns`.
    let budgets: [Int]
    /// Largest number of examples of a task; nil for all.
    let limit: Int?

    /// The evaluation of a session's tasks on its own data.
    package init(_ session: RunSession) {
        (base, own, names) = (session.base, session, nil)
        (standIns, other, budgets, limit) = ([], nil, [], nil)
    }

    /// Opens what is needed of the data; collective.
    ///
    /// - Parameters:
    ///   - names: the tasks to evaluate, of the run and of `standIns`; nil for all. One of the run's in whose place another has the
    ///     same name is not evaluated itself.
    ///   - accept: is called on rank 0 with the identity that the run has now, and may refuse it; `uses` is what of it counts.
    package init(
        _ opened: OpenedRun, standIns all: [StandIn], names chosen: [String]?, limit: Int?,
        accepting accept: @escaping (RunState.Identity, [AdapterUse]) throws(Failure) -> Void
    ) throws(Failure) {
        let base = opened.base
        self.base = base
        self.limit = limit
        let standIns = all.filter { chosen?.contains($0.definition.name) ?? true }
        self.standIns = standIns
        let replaced = all.filter { !$0.isOther }.map(\.stands)
        let own = base.taskNames.filter { !replaced.contains($0) && chosen?.contains($0) ?? true }
        names = own == base.taskNames ? nil : own
        if own.isEmpty {
            self.own = nil
            if base.world.rank == 0 {
                let uses = standIns.map { AdapterUse.prediction(task: $0.stands) }
                try accept(base.identity(data: "", sources: nil), uses)
            }
        } else {
            self.own = try RunSession(base, run: opened.run, comparedWith: opened.checkpoint?.identity) {
                present throws(Failure) in try accept(present, [.evaluation])
            }
        }
        let definitions = standIns.map(\.definition)
        budgets = try base.world.rankZeroFirst { () throws(Failure) in
            let budgets = try RunModel.budgets(
                definitions, base.vocabulary, base.configuration)
            for (definition, budget) in zip(definitions, budgets) where budget > base.model.maximumLength {
                throw Failure(
                    .badConfiguration,
                    "task \(definition.name): its answers take up to \(budget) tokens, and the model was opened for "
                        + "\(base.model.maximumLength); give --set eval.maxNewTokens=\(budget)")
            }
            return budgets
        }
        other =
            definitions.isEmpty
            ? nil
            : try RunData(
                base.configuration, definitions, run: opened.run, vocabulary: base.vocabulary, world: base.world,
                isTrained: false)
        try base.world.rankZeroFirst { [other] () throws(Failure) in
            try RunSession.checkBudget(other?.cache.tasks.map(\.report) ?? [], base.configuration)
        }
    }

    /// The tasks to evaluate: the run's in their order, each on its own data or on what stands in its place, then those that the run
    /// was not trained on, and parts of tasks; these do not count in the averages.
    package func tasks(_ split: SplitName) -> [EvaluationTask] {
        let others = standIns.indices.compactMap { index in
            other?.split(task: index, split).map { rows in
                rows.evaluation(
                    of: standIns[index].definition, as: standIns[index].task, name: standIns[index].definition.name,
                    budget: budgets[index], isOutsideAverage: standIns[index].isOther, limit: limit,
                    seed: base.configuration.splitSeed)
            }
        }
        let counted =
            (own?.evaluationTasks(split, names: names, limit: limit) ?? []) + others.filter { !$0.isOutsideAverage }
        return counted.sorted { $0.task < $1.task } + (own?.tasksBeside(split, names: names, limit: limit) ?? [])
            + others.filter(\.isOutsideAverage)
    }

    /// One sentence for people with the chosen tasks that have no such split; nil when all have it.
    package func omission(_ split: SplitName) -> String? {
        let present = tasks(split).map(\.name)
        let asked = (own == nil ? [] : names ?? base.taskNames) + standIns.map(\.definition.name)
        let absent = asked.filter { !present.contains($0) }
        return absent.isEmpty ? nil : "not evaluated, since without a \(split) split: \(absent.joined(separator: ", "))"
    }

    /// The sentences that belong below a table of figures of a split. `isBest` says whether it is the run's best checkpoint.
    package func footnotes(_ split: SplitName, isBest: Bool) -> [String] {
        let counted = tasks(split).filter { !$0.isOutsideAverage }.map { base.definitions[$0.task] }
        return (own?.footnotes(split, names: names, isBest: isBest) ?? [])
            + [SuperGLUE.absence(from: counted), omission(split)].compactMap(\.self)
    }

    /// One sentence for each benchmark's task that is evaluated on its own data and has a file without the rows of the published one.
    package var rowNotices: [String] {
        DataReport.rowNotices(ownReports, of: base.definitions)
    }

    private var ownReports: [TaskReport] {
        own?.data.cache.tasks.map(\.report).filter { names?.contains($0.task) ?? true } ?? []
    }

    /// The results of reading the files of the tasks.
    package var reports: [TaskReport] {
        ownReports + (other?.cache.tasks.map(\.report) ?? [])
    }

    /// Throws when a file that is read has changed since it was opened; collective.
    package func checkInputs(_ consequence: String) throws(Failure) {
        let caches = [own?.data.cache, other?.cache].compactMap(\.self)
        for cache in caches { try MappedInputs(base.model, cache).check(on: base.world, consequence) }
    }

    /// Sentences for people about tasks whose F1 is computed for another class than in earlier versions.
    package var positiveNotices: [String] {
        guard own != nil else { return [] }
        return base.definitions.filter { names?.contains($0.name) ?? true }.compactMap(\.positiveNotice)
    }

    /// A constant answer for each task: the most frequent one of the run's training, or, where that data is not read or has other
    /// answers, of the evaluated examples themselves.
    package func baselines(_ tasks: [EvaluationTask]) throws(Failure) -> [String: Baseline] {
        var baselines: [String: Baseline] = [:]
        for task in tasks {
            let isTrained = own != nil && base.definitions[task.task].answers == task.space
            let counted = isTrained ? own?.data.gold(task: task.task, .train) ?? [] : task.gold
            baselines[task.name] = Baseline(
                scores: try TaskScores.majorityBaseline(
                    training: counted, gold: task.gold, space: task.space, metrics: task.metrics,
                    positive: task.positive, groups: task.groups),
                isOfTraining: isTrained)
        }
        return baselines
    }

    /// The scores of always giving one answer.
    package struct Baseline {
        package var scores: TaskScores
        /// Whether it is the most frequent answer of the training, not of the evaluated examples.
        package var isOfTraining: Bool
    }

    /// Digest of everything that decides the figures of an evaluation with this adapter: data, model, vocabulary, settings.
    package func basis(adapter: ContentDigest?) -> String {
        let configuration = base.configuration
        let positive = base.definitions.compactMap { task in task.positiveClass.map { "\(task.name): \($0.label)" } }
        var parts = [
            configuration.resultText(for: .evaluation), "\(configuration.maxNewTokens ?? 0)", "\(positive)",
            base.backbone, base.vocabulary.digest.hexadecimal, own?.data.digest ?? "", adapter?.hexadecimal ?? "",
        ]
        // What an evaluation of all of the run in float32 has not, so that its digest is that of earlier versions.
        if let precision = base.products.precisionHere(configuration.products) {
            parts.append("products: \(precision)")
        }
        if let names { parts.append("tasks: \(names)") }
        if let limit { parts.append("eval.maxExamples: \(limit)") }
        if let other {
            parts.append("others: \(other.digest)")
            parts += standIns.map {
                "\($0.definition.name) as \($0.stands), positive \($0.definition.positiveClass?.label ?? "")"
            }
        }
        return ContentDigest(of: parts.joined(separator: "\n")).hexadecimal
    }
}
