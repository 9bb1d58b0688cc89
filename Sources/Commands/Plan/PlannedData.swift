import Backbone
import Configuration
import Failures
import Foundation
import Tasks
import Tensors
import Text
import Training

/// The mixture of a run and the lengths of its texts, estimated from the files without tokenising all of them.
struct PlannedData {
    /// A table of the tasks.
    let lines: [String]
    /// Tokens of the longest target.
    let longestTarget: Int
    /// The number of labels or grades of each task.
    let labels: [Int]
    /// Mean tokens of a source.
    let meanSource: Double
    /// Mean tokens of a target; the longest target if no task has free text.
    let meanTarget: Double
    /// Examples of all splits.
    let rows: Int
    /// Warnings for the user.
    let warnings: [String]
    /// The expected batches of the run.
    let batches: RankMemory.Batches

    /// Largest number of a task's texts that are tokenised to find the number of tokens per byte.
    private static let sample = 200

    init(_ configuration: RunConfiguration, _ shape: any BackboneShape) throws(Failure) {
        let definitions = try configuration.definitions()
        let vocabulary = try RunModel.openVocabulary(configuration.model, shape)
        var counts: [(name: String, examples: Int)] = []
        var (tokenCount, texts, rows) = (0, 0, 0)
        var sources: [[Int32]] = []
        var targets: [KnownLengths.Targets] = []
        var targetTokens = 0
        var answering: [(lengths: BatchLengths, steps: Int)] = []
        for definition in definitions {
            let examples = try TaskExamples(definition, options: configuration.readingOptions)
            let count = examples.count(.train)
            counts.append((definition.name, count))
            let longest = try TargetTable(definition, vocabulary).longest
            func tokens(_ split: SplitName, _ index: Int) throws(Failure) -> (source: Int, target: Int) {
                let example = try examples.example(split, index)
                do throws(Failure) {
                    let target = definition.answers == .texts ? try vocabulary.encode(example.target).count : 0
                    return (try vocabulary.encode(example.source).count, target)
                } catch  where error.code == .badData {
                    throw Failure(
                        error.code, "\(examples.path(example).shown):\(example.line): \(error.message)")
                }
            }
            let bytes = try examples.bytes(.train)
            rows += bytes.sources.count
            var (sampledSources, sampledTargets) = (Sampled(), Sampled())
            for index in stride(from: 0, to: count, by: max(1, count / Self.sample)) {
                let whole = try tokens(.train, index)
                sampledSources.add(bytes: bytes.sources[index], tokens: whole.source)
                tokenCount += min(whole.source + 1, configuration.maxSource)
                texts += 1
                if definition.answers == .texts {
                    sampledTargets.add(bytes: bytes.targets[index], tokens: whole.target)
                    targetTokens += min(whole.target + 1, configuration.maxTarget ?? .max)
                } else {
                    targetTokens += longest
                }
            }
            sources.append(sampledSources.lengths(bytes.sources, limit: configuration.maxSource))
            targets.append(
                definition.answers == .texts
                    ? .each(sampledTargets.lengths(bytes.targets, limit: configuration.maxTarget ?? .max))
                    : .longest(longest))
            for split in examples.splitNames where split != .train {
                let bytes = try examples.bytes(split).sources
                rows += bytes.count
                guard configuration.evaluatesAtEnd || split.rawValue == configuration.evaluationSplit else { continue }
                // Unless the whole split is evaluated at the end, only a part of it is answered; which part does not matter
                // here.
                let limit = configuration.evaluatesAtEnd ? nil : configuration.evaluationMaxExamples
                let step = max(1, bytes.count / max(1, limit ?? bytes.count))
                // The texts with the most bytes represent those with the most tokens.
                let most = stride(from: 0, to: bytes.count, by: step).sorted { (bytes[$0], $1) > (bytes[$1], $0) }
                    .prefix(configuration.evaluationBatch)
                var lengths: [Int] = []
                for index in most { lengths.append(min(try tokens(split, index).source + 1, configuration.maxSource)) }
                answering.append(
                    RankMemory.Batches.longest(
                        lengths, batch: configuration.evaluationBatch,
                        steps: configuration.maxNewTokens
                            ?? max(4, definition.answers == .texts ? configuration.maxTarget ?? 0 : longest)))
            }
        }
        let mixture = try Mixture(
            tasks: counts, temperature: configuration.temperature, cap: configuration.samplerCap)
        var lines = ["task              examples    share  expected passes"]
        for entry in mixture.entries {
            let passes = entry.expectedPasses(steps: configuration.steps, batch: configuration.globalBatch)
            lines.append(
                entry.task.padding(toLength: 16, withPad: " ", startingAt: 0)
                    + String(format: "%10d  %7.4f  %15.2f", entry.examples, entry.share, passes))
        }
        self.lines = lines
        warnings = [configuration.capNotice(counts.map(\.examples))].compactMap(\.self)
        longestTarget = targets.map(\.longest).max() ?? 0
        meanTarget =
            configuration.maxTarget == nil ? Double(longestTarget) : Double(targetTokens) / Double(max(texts, 1))
        labels = definitions.map(\.answers.targetCount)
        self.rows = rows
        meanSource = Double(tokenCount) / Double(max(texts, 1))
        batches = try RankMemory.Batches(
            configuration, mixture: mixture, examples: KnownLengths(sources: sources, targets: targets),
            answering: answering)
    }
}

/// Texts that were tokenised, from which the numbers of tokens of other texts are estimated.
private struct Sampled {
    private var (bytes, tokens) = (0, 0)

    mutating func add(bytes: Int, tokens: Int) {
        self.bytes += bytes
        self.tokens += tokens
    }

    /// The tokens of texts with these numbers of bytes, end included, cut to `limit`.
    func lengths(_ bytes: [Int], limit: Int) -> [Int32] {
        let ratio = Double(tokens) / Double(max(self.bytes, 1))
        return bytes.map { Int32(min(limit, Int((Double($0) * ratio).rounded()) + 1)) }
    }
}
