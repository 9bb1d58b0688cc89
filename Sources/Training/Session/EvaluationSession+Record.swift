import Adapters
import Configuration
package import Runs
package import Tasks
package import Tensors
import Text

extension EvaluationSession {
    /// The file of an evaluation, with all that is needed to know what its figures are of.
    ///
    /// - Parameters:
    ///   - adapter: digest of the weights; nil when it is not known.
    ///   - seed: that of the training.
    package func record(
        _ results: [EvaluatedTask], of tasks: [EvaluationTask], split: SplitName, step: Int, adapter: ContentDigest?,
        seed: UInt64,
        baselines: [String: Baseline], seconds: Double
    ) -> EvaluationRecord {
        var record = EvaluationRecord(
            results, step: step, split: split.rawValue, maxExamples: limit, hasLabels: true, seconds: seconds)
        record.basis = basis(adapter: adapter)
        (record.method, record.seed) = (base.adapter.method, seed)
        (record.splitSeed, record.runTasks) = (base.configuration.splitSeed, base.taskNames)
        if base.definitions.contains(where: { $0.suite != nil }) {
            record.glueSplits = base.configuration.glueSplits.rawValue
        }
        record.checkpoint = EvaluationRecord.Checkpoint(step: step, digest: adapter?.hexadecimal)
        record.model = EvaluationRecord.Model(digest: base.backbone, vocabulary: base.vocabulary.digest.hexadecimal)
        record.program = .current
        record.libraries = base.libraries
        for (name, baseline) in baselines {
            record.tasks[name]?.baseline = Dictionary(
                uniqueKeysWithValues: baseline.scores.figures.map { ($0.metric.rawValue, $0.value) })
            record.tasks[name]?.baselineOf = baseline.isOfTraining ? SplitName.train.rawValue : split.rawValue
        }
        for task in tasks { describe(task, in: &record) }
        return record
    }

    private func describe(_ task: EvaluationTask, in record: inout EvaluationRecord) {
        let name = task.name
        if let index = standIns.firstIndex(where: { $0.definition.name == name }), let other {
            record.tasks[name]?.standsFor = standIns[index].stands
            record.tasks[name]?.template = standIns[index].definition.template.pattern
            record.tasks[name]?.splits = Self.splits(other, index)
        } else if let own {
            record.tasks[name]?.template = base.definitions[task.task].template.pattern
            record.tasks[name]?.splits = Self.splits(own.data, task.task)
        }
    }

    private static func splits(_ data: RunData, _ index: Int) -> [EvaluationRecord.Split] {
        zip(data.sources[index].splits, data.cache.tasks[index].splits).map { source, cached in
            EvaluationRecord.Split(
                split: source.name.rawValue, rows: source.rows, files: source.files, examples: cached.count)
        }
    }

    /// The files that stand in the place of the run's, as differences from those of the training, each a part of a sentence.
    package func changes(since trained: [TaskSources]?) -> [String] {
        guard let other else { return [] }
        return zip(standIns, other.sources).flatMap { standIn, source -> [String] in
            var changes = standIn.changes
            if let before = trained?.first(where: { $0.task == standIn.stands }), !standIn.isOther {
                changes += source.differences(ofSplitsFrom: before).map { "task \(source.task.shown): \($0)" }
            }
            return changes
        }
    }
}
