import Backbones
import Configuration
import Failures
import MPI
import Tasks
import Training

/// Examples that are used both for training and for answering, so that the two can be compared.
struct AnswerExamples {
    let training: any TrainingExamples
    /// The tasks of the adapter, with their numbers of examples.
    let tasks: [(name: String, examples: Int)]
    /// The same examples for answering.
    let evaluation: [EvaluationTask]
    /// The longest source or target in tokens.
    let longest: Int

    /// Number of examples to answer.
    var count: Int { evaluation.reduce(0) { $0 + $1.gold.count } }
    /// Source tokens of all these examples.
    var sourceTokens: Int {
        evaluation.reduce(0) { sum, task in task.gold.indices.reduce(sum) { unsafe $0 + task.source($1).count } }
    }

    /// Random tokens of given lengths. An answer is as long as the target; examples with targets of the same length are
    /// evaluated together.
    init(_ lengths: TokenLengths, vocabulary: Int) {
        let examples = RandomExamples(lengths, vocabulary: vocabulary, seed: 1)
        training = examples
        tasks = (0..<8).map { ("task\($0)", examples.count) }
        longest = lengths.longest
        let byTarget = Dictionary(grouping: lengths.pairs.indices) { lengths.pairs[$0].target }
        evaluation = byTarget.sorted { $0.key < $1.key }.enumerated().map { number, group in
            let task = number % 8
            return unsafe EvaluationTask(
                name: "\(group.key) tokens", task: task, space: .classes([]), metrics: [], budget: group.key,
                gold: group.value.map { _ in .label(0) },
                source: { unsafe examples.source(task: task, example: group.value[$0]) })
        }
    }

    /// Texts of the tasks of a configuration: at most `limit` of each from its validation split. An answer has at most as many
    /// tokens as the task's longest target, as with a trained adapter. Collective.
    init(
        _ configuration: RunConfiguration, limit: Int, threads: Int, world: Communicator
    ) throws(Failure) {
        let scratch = configuration.cache == nil ? try ScratchDirectory(sharedBy: world) : nil
        let directory = configuration.cache ?? scratch?.path ?? ""
        let cache = try world.rankZeroFirst { () throws(Failure) in
            let shape = try Backbones.shape(directory: configuration.model)
            let vocabulary = try RunModel.openVocabulary(configuration.model, shape)
            return try configuration.openCache(
                configuration.definitions(), vocabulary, in: directory, threads: threads)
        }
        // The mapping stays valid after the file is removed.
        try world.barrier()
        withExtendedLifetime(scratch) {}
        var (splits, positions): ([CachedSplit], [[Int]]) = ([], [])
        for task in cache.tasks {
            guard let split = task.split(.validation), split.count > 0 else { continue }
            splits.append(split)
            positions.append(evenlySpread(limit, over: split.count))
        }
        guard !splits.isEmpty else {
            throw Failure(.badConfiguration, "no task of --config has a validation split; give one to some task")
        }
        let present = cache.tasks.filter { ($0.split(.validation)?.count ?? 0) > 0 }
        training = CachedExamples(splits: splits, positions: positions)
        tasks = zip(present, positions).map { ($0.name, $1.count) }
        longest = present.reduce(configuration.maxSource) { max($0, $1.longestTarget) }
        evaluation = present.indices.map { [splits, positions] index in
            unsafe EvaluationTask(
                name: present[index].name, task: index, space: present[index].answers, metrics: present[index].metrics,
                budget: present[index].longestTarget, gold: positions[index].map { splits[index].gold($0) },
                source: { unsafe splits[index].source(positions[index][$0]) })
        }
    }
}

/// Some examples of splits of a token cache; each split counts as a task.
private struct CachedExamples: TrainingExamples {
    let splits: [CachedSplit]
    let positions: [[Int]]

    func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe splits[task].source(positions[task][example])
    }

    func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe splits[task].target(positions[task][example])
    }
}
