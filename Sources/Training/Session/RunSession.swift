import Configuration
package import Failures
import MPI
package import Runs
package import Tasks
import Tensors
import Text

/// A run's model together with its data: everything that training and evaluation need.
package struct RunSession {
    package let base: RunModel
    package let data: RunData

    var configuration: RunConfiguration { base.configuration }
    package var taskNames: [String] { base.taskNames }
    /// The mapped files that are read while the session lives.
    package var inputs: MappedInputs { MappedInputs(base.model, data.cache) }

    /// Opens the data of an opened model; collective.
    ///
    /// On rank 0 `accept` is called with the identity that the run would have with the current data, and may refuse it: once
    /// before anything is tokenised, if the inputs can tell whether the data is that of `trained`, and again if the tokens show
    /// that it is not.
    package init(
        _ base: RunModel, run: RunDirectory, comparedWith trained: RunState.Identity? = nil,
        accepting accept: @escaping (RunState.Identity) throws(Failure) -> Void = { _ in }
    ) throws(Failure) {
        self.base = base
        var told: RunState.Identity?
        data = try RunData(
            base.configuration, base.definitions, run: run, vocabulary: base.vocabulary, world: base.world
        ) { inputs throws(Failure) in
            let present = base.identity(data: inputs.identity(as: trained?.data ?? ""), sources: inputs.sources)
            told = present
            try accept(present)
        }
        let identity = self.identity
        try base.world.rankZeroFirst { () throws(Failure) in
            if base.world.rank == 0, told != identity { try accept(identity) }
            try Self.checkBudget(data.cache.tasks.map(\.report), configuration)
        }
    }

    /// Refuses a generation budget that cuts answers of free text which the targets of the training do not cut. Labels are checked
    /// before the data is read.
    static func checkBudget(_ tasks: [TaskReport], _ configuration: RunConfiguration) throws(Failure) {
        guard let budget = configuration.maxNewTokens else { return }
        for task in tasks {
            for split in task.splits where split.name != .train {
                guard let answers = split.answers, let longest = answers.whole.longest else { continue }
                let needed = min(longest, answers.limit ?? longest)
                guard needed > budget else { continue }
                throw Failure(
                    .badConfiguration,
                    "task \"\(task.task.shown)\": the longest \(split.name) answer takes \(longest) tokens, more than the "
                        + "generation budget of \(budget); raise eval.maxNewTokens to \(needed), or cut answers to "
                        + "\(budget) tokens with data.maxTarget")
            }
        }
    }

    /// Everything that must be the same so that the run can be continued.
    package var identity: RunState.Identity { base.identity(data: data.digest, sources: data.sources) }

    /// The mixture of the tasks' training examples.
    package func mixture() throws(Failure) -> Mixture {
        try Mixture(
            tasks: base.definitions.enumerated().map { ($1.name, data.trainingCount(task: $0)) },
            temperature: configuration.temperature, cap: configuration.samplerCap)
    }

    /// A split of the chosen tasks for the evaluator, with at most `limit` random examples of each; tasks without that split
    /// are left out.
    package func evaluationTasks(_ split: SplitName, names: [String]? = nil, limit: Int? = nil) -> [EvaluationTask] {
        base.definitions.indices.compactMap { index in
            guard names?.contains(base.definitions[index].name) ?? true else { return nil }
            return evaluationTask(index, split, name: base.definitions[index].name, limit: limit)
        }
    }

    /// What a report shows beside the averages. Some tasks have splits that are halves of a benchmark with separate names, such
    /// as MNLI's matched and mismatched; for these it is the half that is not `split`.
    package func tasksBeside(
        _ split: SplitName, names: [String]? = nil, limit: Int? = nil
    ) -> [EvaluationTask] {
        return base.definitions.indices.compactMap { index in
            let definition = base.definitions[index]
            guard names?.contains(definition.name) ?? true, definition.split(split)?.label != nil,
                let other = definition.splits.first(where: { $0.name != split && $0.label != nil }),
                let label = other.label
            else { return nil }
            return evaluationTask(
                index, other.name, name: "\(definition.name)_\(label)", isOutsideAverage: true, limit: limit)
        }
    }

    /// The sentences that belong below a table of figures of a split: which rows the figures are of, and whether these rows chose
    /// the checkpoint. `isBest` says whether it is the run's best checkpoint.
    package func footnotes(_ split: SplitName, names: [String]? = nil, isBest: Bool) -> [String] {
        let definitions = base.definitions.filter { names?.contains($0.name) ?? true }
        let rows = TaskSuite.allCases.compactMap { suite in
            suite.rows(of: split, in: definitions).map { rows in
                "\(suite.rawValue)'s \(split) examples by data.glueSplits \(configuration.glueSplits.rawValue): \(rows)"
            }
        }
        let isChosen = isBest && configuration.choosesBest && split.rawValue == configuration.evaluationSplit
        let selection =
            "the best checkpoint was chosen by figures of this split, so on other texts its figures are likely to be lower"
        return rows + (isChosen ? [selection] : [])
    }

    private func evaluationTask(
        _ index: Int, _ split: SplitName, name: String, isOutsideAverage: Bool = false, limit: Int? = nil
    ) -> EvaluationTask? {
        data.split(task: index, split).map { rows in
            rows.evaluation(
                of: base.definitions[index], as: index, name: name, budget: base.budgets[index],
                isOutsideAverage: isOutsideAverage, limit: limit, seed: configuration.splitSeed)
        }
    }
}

extension CachedSplit {
    /// These examples for the evaluator, at most `limit` random ones, answered as the run's task with the number `place`.
    func evaluation(
        of definition: TaskDefinition, as place: Int, name: String, budget: Int, isOutsideAverage: Bool = false,
        limit: Int?, seed: UInt64
    ) -> EvaluationTask {
        let groups = definition.group == nil ? nil : (0..<count).compactMap(group)
        let chosen = ExampleSubset.positions(
            task: definition.name, count: count, limit: limit, seed: seed, groups: groups)
        var task = unsafe EvaluationTask(
            name: name, task: place, space: definition.answers, metrics: definition.metrics,
            positive: definition.positiveClass, budget: budget, isOutsideAverage: isOutsideAverage,
            gold: chosen.map(gold), source: { unsafe source(chosen[$0]) })
        task.labelNames = definition.labelNames
        task.groups = groups.map { groups in chosen.map { groups[$0] } }
        task.exampleName = { "example \(chosen[$0])" }
        return task
    }
}
