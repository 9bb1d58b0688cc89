import Backbone
import Configuration
import Tasks

/// What a run answers: in each of its evaluations, and in the report at its end.
struct PlannedAnswers {
    /// A split of a task, or a part of it, in the order in which it is answered.
    struct Part {
        let task: Int
        let split: SplitName
        /// Positions of the examples in the split, the longest first.
        let examples: [Int]
        /// Operations of each batch.
        let batches: [Double]
    }

    /// In each evaluation of the training loop.
    let during: [Part]
    /// In the report at the end; nothing if there is none.
    let atEnd: [Part]
}

extension PlannedAnswers {
    init(_ configuration: RunConfiguration, _ shape: any BackboneShape, _ data: PlannedData) {
        func part(_ index: Int, _ split: SplitName, _ limit: Int? = nil) -> Part? {
            let task = data.tasks[index]
            guard let lengths = task.sources[split], !lengths.isEmpty else { return nil }
            let chosen = ExampleSubset.positions(
                task: task.definition.name, count: lengths.count, limit: limit, seed: configuration.splitSeed
            ).sorted { (lengths[$0], $1) > (lengths[$1], $0) }
            let size = configuration.evaluationBatch
            let batches = stride(from: 0, to: chosen.count, by: size).map { start in
                let batch = chosen[start..<min(start + size, chosen.count)]
                // An answer needs no backward.
                return shape.operations(
                    source: batch.reduce(0) { $0 + Double(lengths[$1]) },
                    target: Double(batch.count * task.budget)) / 2
            }
            return Part(task: index, split: split, examples: chosen, batches: batches)
        }
        let tasks = data.tasks.indices
        let regular = SplitName(rawValue: configuration.evaluationSplit)
        during = tasks.compactMap { part($0, regular, configuration.evaluationMaxExamples) }
        guard configuration.evaluatesAtEnd else {
            atEnd = []
            return
        }
        // As the session chooses them for the report.
        let tested = tasks.compactMap { part($0, .test) }
        let (split, other): (SplitName, SplitName) = tested.isEmpty ? (.validation, .test) : (.test, .validation)
        let beside = tasks.filter { task in
            [split, other].allSatisfy { data.tasks[task].definition.split($0)?.label != nil }
        }
        atEnd =
            (tested.isEmpty ? tasks.compactMap { part($0, .validation) } : tested)
            + beside.compactMap { part($0, other) }
    }
}

extension [PlannedAnswers.Part] {
    /// Number of answers.
    var count: Int { reduce(0) { $0 + $1.examples.count } }
}
