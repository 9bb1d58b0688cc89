import Backbone
import Configuration
import Failures
import Foundation
import Runs
import Tasks
import Tensors
import Text
import Training

/// The mixture of a run and the lengths of its texts, estimated from the files without tokenising all of them.
struct PlannedData {
    /// A task of the run.
    struct Task {
        let examples: TaskExamples
        let targets: TargetTable
        /// Most tokens of an answer, end included.
        let budget: Int
        /// Estimated tokens of the training targets, end included: of free text each, otherwise the longest for all.
        let targetLengths: KnownLengths.Targets
        /// Mean tokens of a training target, end included, of a sample.
        let meanTarget: Double
        /// The estimated number of tokens of every source, end included.
        let sources: [SplitName: [Int32]]

        var definition: TaskDefinition { examples.definition }
    }

    let tasks: [Task]
    let vocabulary: any Tokenizer
    let mixture: Mixture
    /// Tokens of the longest target.
    let longestTarget: Int
    /// The number of labels or grades of each task; 0 for free text.
    var labels: [Int] { tasks.map(\.definition.answers.targetCount) }
    /// Mean tokens of a source in training, as the mixture draws them.
    let meanSource: Double
    /// Warnings for the user.
    let warnings: [String]
    /// The expected batches of the run.
    let batches: RankMemory.Batches
    /// Seconds of processors that reading the files took, and that tokenising all texts would take.
    let seconds: (reading: Double, tokenising: Double)

    /// Largest number of a task's texts that are tokenised to find the number of tokens per byte.
    private static let sample = 200

    init(_ configuration: RunConfiguration, _ shape: any BackboneShape) throws(Failure) {
        let definitions = try configuration.definitions()
        let vocabulary = try RunModel.openVocabulary(configuration.model, shape)
        var tasks: [Task] = []
        var (reading, tokenising) = (0.0, 0.0)
        var answering: [(lengths: BatchLengths, steps: Int)] = []
        for definition in definitions {
            var watch = Watch()
            let examples = try TaskExamples(definition, options: configuration.readingOptions)
            let targets = try TargetTable(definition, vocabulary)
            var bytes: [SplitName: [Int]] = [:]
            var answerBytes: [Int] = []
            for split in examples.splitNames {
                let found = try examples.bytes(split)
                bytes[split] = found.sources
                if split == .train { answerBytes = found.targets }
            }
            reading += watch.cost.processorSeconds
            let training = bytes[.train] ?? []
            let sampled = Array(stride(from: 0, to: training.count, by: max(1, training.count / Self.sample)))
            var sample: [Example] = []
            for index in sampled { sample.append(try examples.example(.train, index)) }
            var sampledTokens = 0
            watch = Watch()
            for example in sample { sampledTokens += try Self.encode(example, of: examples, vocabulary).count }
            let sampledBytes = Double(max(1, sampled.reduce(0) { $0 + training[$1] }))
            let pace = watch.cost.processorSeconds / sampledBytes
            let ratio = Double(sampledTokens) / sampledBytes
            let answers = try Self.answers(
                definition, targets, sample, of: examples, vocabulary,
                bytes: (answerBytes, sampled: sampled.map { answerBytes.isEmpty ? 0 : answerBytes[$0] }),
                limit: configuration.maxTarget ?? .max)
            let budget =
                configuration.maxNewTokens
                ?? max(4, definition.answers == .texts ? configuration.maxTarget ?? 0 : targets.longest)
            var sources: [SplitName: [Int32]] = [:]
            for split in examples.splitNames {
                let bytes = bytes[split] ?? []
                tokenising += pace * Double(bytes.reduce(0, +))
                sources[split] = bytes.map {
                    Int32(min(configuration.maxSource, Int((Double($0) * ratio).rounded()) + 1))
                }
                guard split != .train, configuration.evaluatesAtEnd || split.rawValue == configuration.evaluationSplit
                else { continue }
                // Unless the whole split is evaluated at the end, only a part of it is answered; which part does not matter
                // here.
                let limit = configuration.evaluatesAtEnd ? nil : configuration.evaluationMaxExamples
                let step = max(1, bytes.count / max(1, limit ?? bytes.count))
                // The texts with the most bytes represent those with the most tokens.
                let longest = stride(from: 0, to: bytes.count, by: step).sorted { (bytes[$0], $1) > (bytes[$1], $0) }
                    .prefix(configuration.evaluationBatch)
                var lengths: [Int] = []
                for index in longest {
                    let source = try Self.encode(examples.example(split, index), of: examples, vocabulary)
                    lengths.append(min(source.count + 1, configuration.maxSource))
                }
                answering.append(
                    RankMemory.Batches.longest(
                        lengths, batch: configuration.evaluationBatch,
                        steps: budget))
            }
            tasks.append(
                Task(
                    examples: examples, targets: targets, budget: budget, targetLengths: answers.lengths,
                    meanTarget: answers.mean, sources: sources))
        }
        self.tasks = tasks
        self.vocabulary = vocabulary
        let counts = tasks.map { (name: $0.definition.name, examples: $0.examples.count(.train)) }
        mixture = try Mixture(
            tasks: counts, temperature: configuration.temperature, cap: configuration.samplerCap)
        warnings = [configuration.capNotice(counts.map(\.examples))].compactMap(\.self)
        longestTarget = tasks.map(\.targetLengths.longest).max() ?? 0
        meanSource = zip(mixture.entries, tasks).reduce(0) { mean, task in
            let lengths = task.1.sources[.train] ?? []
            return mean + task.0.share * Double(lengths.reduce(0) { $0 + Int($1) }) / Double(max(lengths.count, 1))
        }
        seconds = (reading, tokenising)
        batches = try RankMemory.Batches(
            configuration, mixture: mixture,
            examples: KnownLengths(
                sources: tasks.map { $0.sources[.train] ?? [] }, targets: tasks.map(\.targetLengths)),
            answering: answering)
    }

    /// Tokens of the source of an example, without the end.
    static func encode(
        _ example: Example, of examples: TaskExamples, _ vocabulary: any Tokenizer
    ) throws(Failure) -> [Int32] {
        try encode(example.source, of: example, examples, vocabulary)
    }

    /// Tokens of a text of an example, without the end.
    static func encode(
        _ text: String, of example: Example, _ examples: TaskExamples, _ vocabulary: any Tokenizer
    ) throws(Failure) -> [Int32] {
        do throws(Failure) {
            return try vocabulary.encode(text)
        } catch  where error.code == .badData {
            throw Failure(error.code, "\(examples.path(example).shown):\(example.line): \(error.message)")
        }
    }

    /// The training examples, of which only the lengths are known: each source's, and the mean of a task's targets.
    var lengths: KnownLengths {
        KnownLengths(
            sources: tasks.map { $0.sources[.train] ?? [] },
            targets: tasks.map { task in
                if case .each = task.targetLengths { return task.targetLengths }
                return .longest(Int(task.meanTarget.rounded()))
            })
    }

    /// The lengths of the training targets, and their mean. Of free text they are estimated from the tokens per byte of a sample;
    /// `bytes` are those of all targets and of the sample's, and `limit` is the most tokens of one.
    private static func answers(
        _ definition: TaskDefinition, _ targets: TargetTable, _ sample: [Example], of examples: TaskExamples,
        _ vocabulary: any Tokenizer, bytes: (all: [Int], sampled: [Int]), limit: Int
    ) throws(Failure) -> (lengths: KnownLengths.Targets, mean: Double) {
        guard definition.answers == .texts else {
            let lengths = targets.all.map(\.count)
            let tokens = sample.reduce(0) { $0 + lengths[definition.answers.targetIndex(of: $1.gold)] }
            return (.longest(targets.longest), Double(tokens) / Double(max(sample.count, 1)))
        }
        var tokens = 0
        for example in sample {
            tokens += try encode(example.target, of: example, examples, vocabulary).count
        }
        let ratio = Double(tokens) / Double(max(bytes.sampled.reduce(0, +), 1))
        let lengths = bytes.all.map { Int32(min(limit, Int((Double($0) * ratio).rounded()) + 1)) }
        let sum = lengths.reduce(0) { $0 + Int($1) }
        return (.each(lengths), Double(sum) / Double(max(lengths.count, 1)))
    }

    /// Examples of all splits, and the tokens of their sources.
    var texts: (rows: Int, tokens: Int) {
        tasks.flatMap(\.sources.values).reduce((0, 0)) { sum, split in
            (sum.0 + split.count, sum.1 + split.reduce(0) { $0 + Int($1) })
        }
    }

    /// Bytes of the task files.
    var fileBytes: Int {
        Set(tasks.flatMap(\.definition.paths)).reduce(0) { sum, path in
            let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            return sum + (size ?? 0)
        }
    }

    /// A table of the tasks.
    func lines(_ configuration: RunConfiguration) -> [String] {
        ["task              examples    share  expected passes"]
            + mixture.entries.map { entry in
                let passes = entry.expectedPasses(steps: configuration.steps, batch: configuration.globalBatch)
                return entry.task.padding(toLength: 16, withPad: " ", startingAt: 0)
                    + String(format: "%10d  %7.4f  %15.2f", entry.examples, entry.share, passes)
            }
    }
}
