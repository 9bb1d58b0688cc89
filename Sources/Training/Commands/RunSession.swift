import Adapters
import Configuration
import Failures
import Kernels
import MPI
import T5
import Tasks
import Tensors
import Text

/// Everything that commands on a run have in common: configuration, model, vocabulary, data.
struct RunSession {
    let configuration: RunConfiguration
    let world: Communicator
    let model: T5Model
    let vocabulary: Vocabulary
    let data: RunData
    let layout: LowRankLayout
    /// Digest of the backbone's weights.
    let backbone: String

    /// Opens everything; collective. Rank 0 goes first through what may be refused, so that it is said once.
    init(_ configuration: RunConfiguration, run: RunDirectory, world: Communicator) throws(Failure) {
        self.configuration = configuration
        self.world = world
        let directory = configuration.model
        let shape = try world.rankZeroFirst { () throws(Failure) in
            try T5Configuration(path: directory + "/config.json")
        }
        vocabulary = try world.rankZeroFirst { () throws(Failure) in
            try Self.openVocabulary(directory, rows: shape.vocabularySize)
        }
        data = try RunData(configuration, run: run, vocabulary: vocabulary, world: world)
        let data = data
        let longest = data.definitions.indices.reduce(max(configuration.maxSource, configuration.padTargets ?? 0)) {
            max($0, data.budget(task: $1, configured: configuration.maxNewTokens))
        }
        backbone = try Self.checkModel(directory, world)
        let node = try world.nodeCommunicator()
        model = try T5Model.load(directory: directory, maximumLength: longest) { size throws(Failure) in
            try NodeMemory(node, byteCount: size)
        }
        layout = LowRankLayout(
            options: configuration.lowRankOptions(model.configuration), configuration: model.configuration)
    }

    /// Checks the weights on rank 0 and gives all ranks their digest; collective.
    private static func checkModel(_ directory: String, _ world: Communicator) throws(Failure) -> String {
        let digest = world.rank == 0 ? Array(try T5Model.check(directory: directory).hexadecimal.utf8) : []
        return String(decoding: try world.broadcast(digest, from: 0), as: UTF8.self)
    }

    /// The vocabulary of a model directory; refused when it does not fit the embedding.
    static func openVocabulary(_ directory: String, rows: Int) throws(Failure) -> Vocabulary {
        let vocabulary = try Vocabulary(modelPath: directory + "/spiece.model")
        guard vocabulary.pieceCount <= rows else {
            throw Failure(
                .badData,
                "\(directory)/spiece.model has \(vocabulary.pieceCount) pieces, but the model's embedding only \(rows) rows; "
                    + "take both from the same model")
        }
        return vocabulary
    }

    /// The mixture of the tasks' training examples.
    func mixture() throws(Failure) -> Mixture {
        try Mixture(
            tasks: data.definitions.enumerated().map { ($1.name, data.trainingCount(task: $0)) },
            temperature: configuration.temperature, cap: configuration.samplerCap)
    }

    /// A split of the chosen tasks for the evaluator; tasks without that split are left out.
    func evaluationTasks(_ split: SplitName, names: [String]? = nil, limit: Int? = nil) -> [EvaluationTask] {
        data.definitions.indices.compactMap { index in
            guard names?.contains(data.definitions[index].name) ?? true else { return nil }
            return evaluationTask(index, split, name: data.definitions[index].name, limit: limit)
        }
    }

    /// What a report shows beside the averages: where the splits of a task are halves of a benchmark with names of their
    /// own, as MNLI's matched and mismatched are, the half that is not `split`.
    func tasksBeside(_ split: SplitName, names: [String]? = nil) -> [EvaluationTask] {
        let other: SplitName = split == .test ? .validation : .test
        return data.definitions.indices.compactMap { index in
            let definition = data.definitions[index]
            guard names?.contains(definition.name) ?? true, definition.split(split)?.label != nil,
                let label = definition.split(other)?.label
            else { return nil }
            return evaluationTask(index, other, name: "\(definition.name)_\(label)", isBeside: true)
        }
    }

    private func evaluationTask(
        _ index: Int, _ split: SplitName, name: String, isBeside: Bool = false, limit: Int? = nil
    ) -> EvaluationTask? {
        guard let rows = data.split(task: index, split) else { return nil }
        let definition = data.definitions[index]
        return EvaluationTask(
            name: name, task: index, space: definition.answers, metrics: definition.metrics,
            budget: data.budget(task: index, configured: configuration.maxNewTokens), isBeside: isBeside,
            gold: Array(data.gold(task: index, split).prefix(limit ?? .max)), source: { rows.source($0) })
    }

    /// Scores of always giving each task's most frequent training answer, by the names of `tasks`.
    func baselines(_ tasks: [EvaluationTask]) throws(Failure) -> [String: TaskScores] {
        var scores: [String: TaskScores] = [:]
        for task in tasks {
            scores[task.name] = try TaskScores.majorityBaseline(
                training: data.gold(task: task.task, .train), gold: task.gold, space: task.space, metrics: task.metrics)
        }
        return scores
    }

    /// Names of the tasks in the order of their ids.
    var taskNames: [String] { data.definitions.map(\.name) }
}

/// Memory for converted weights that the ranks of a node share.
private final class NodeMemory: FrozenMemory, @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    private let node: Communicator

    /// Collective over the node.
    init(_ node: Communicator, byteCount: Int) throws(Failure) {
        self.node = node
        // The window lives as long as the job: freeing is collective, and MPI takes it back at the end.
        let memory = try node.allocateShared(byteCount: byteCount)
        base = memory.bytes.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 64)!
    }

    var isWriter: Bool { node.rank == 0 }
    func publish() throws(Failure) { try node.barrier() }
}
