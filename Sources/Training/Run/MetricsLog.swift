import Failures
import Foundation
import Kernels
import Tensors

/// One line of `metrics.jsonl` about training: means over the steps since the line before.
///
/// All but `timing` is deterministic: equal for every number of ranks, threads and interruptions.
struct TrainRecord: Codable, Equatable {
    struct Task: Codable, Equatable {
        var loss: Double
        var tokens: Int64
        var examples: Int64
    }

    struct Timing: Codable, Equatable {
        var seconds: Double
        var examplesPerSecond: Double
        var tokensPerSecond: Double
    }

    var kind = "train"
    var step: Int
    var loss: Double
    var learningRate: Double
    var gradientNorm: Double
    var examples: Int64
    var tokens: Int64
    /// Steps among them that were left out since they were not finite; nil for none.
    var skippedSteps: Int?
    var tasks: [String: Task]
    var timing: Timing
}

/// One line about an evaluation.
struct EvaluationRecord: Codable, Equatable {
    struct Task: Codable, Equatable {
        var figures: [String: Double]
        var examples: Int
        var invalidAnswers: Int
        var undefined: [String]
        /// The label that F1 is of; nil without F1.
        var positive: String?
    }

    struct Timing: Codable, Equatable {
        var seconds: Double
        var examplesPerSecond: Double
    }

    var kind = "evaluation"
    var step: Int
    var split: String
    /// At most so many random examples of each task were evaluated; nil for all.
    var maxExamples: Int?
    var average: Double
    var averagedFigures: Int
    var averageOverTasks: Double
    var tasks: [String: Task]
    var timing: Timing
    /// In files of `evaluate` and of the end of a run: digest of all that decides the figures beside the adapter.
    var basis: String?
    /// In files of `evaluate`: what was allowed to be another than in the training, a part of a sentence each.
    var changed: [String]?
}

/// Appends to `metrics.jsonl`; only rank 0 has one.
final class MetricsLog: Sendable {
    private let file: GrowingFile

    /// Where a run goes on.
    struct Start {
        /// Steps done; lines of later ones are cut off, as is a line that was not finished.
        var step: Int
        /// Whether the evaluation of `step` is still to be made; a line about it is cut off then.
        var owesEvaluation = false
        /// The line about `step` that must be there.
        var record: TrainRecord?

        /// `record`, where the file lacks it.
        func missing(in log: MetricsLog) -> TrainRecord? {
            record.flatMap { $0.step == step && log.lastTrained < step ? $0 : nil }
        }
    }

    /// Step of the last line about training that the file had when it was opened; 0 for none.
    let lastTrained: Int

    /// Opens the file to append.
    init(path: String, _ start: Start) throws(Failure) {
        lastTrained = try Self.truncate(path, start)
        file = try GrowingFile(appendingTo: path)
    }

    /// Appends one line.
    func append(_ record: some Encodable) throws(Failure) {
        try file.append([UInt8](StableJSON.line(record, "a line of metrics")) + [0x0A])
    }

    /// Waits until all lines are on the disk.
    func synchronise() throws(Failure) { try file.synchronise() }

    private struct Stepped: Decodable {
        var step: Int
        var kind: String?
    }

    private static func truncate(_ path: String, _ start: Start) throws(Failure) -> Int {
        var old = Data()
        if FileManager.default.fileExists(atPath: path) {
            let file = try MappedFile(path: path, followingLinks: false)
            old = withExtendedLifetime(file) { Data(file.bytes) }
        }
        let (kept, lastTrained) = lines(of: old, start)
        guard kept != old || old.isEmpty else { return lastTrained }
        try DurableFile.replace(path) { file throws(Failure) in try file.write([UInt8](kept)) }
        return lastTrained
    }

    /// The lines that are kept of a file's content, each with its end, and the step of the last one about training.
    static func lines(of old: Data, _ start: Start) -> (kept: Data, lastTrained: Int) {
        var kept = Data()
        var lastTrained = 0
        for line in old.split(separator: 0x0A) {
            // Lines of one run stand in the order of their steps; the first that is later, or torn, ends what is kept.
            guard let parsed = try? BoundedJSON.decode(Stepped.self, from: line), parsed.step <= start.step else {
                break
            }
            if start.owesEvaluation, parsed.step == start.step, parsed.kind == "evaluation" { break }
            if parsed.kind == "train" { lastTrained = parsed.step }
            kept.append(contentsOf: line)
            kept.append(0x0A)
        }
        return (kept, lastTrained)
    }
}

/// Sums since the last line of `metrics.jsonl`; part of the checkpoint, so that a resumed run writes the same lines.
///
/// A step's loss is exact in quanta, but many steps' need not fit; as `Double`s they are added step by step, in the same
/// order in every run.
struct MetricsAccumulator: Codable, Equatable {
    /// Sums of one task.
    struct Task: Codable, Equatable {
        var loss = 0.0
        var tokens: Int64 = 0
        var examples: Int64 = 0
        var sourceTokens: Int64 = 0
    }

    var tasks: [Task]
    var steps = 0
    /// Steps that were left out; nil for none.
    var skipped: Int?
    var gradientNormSum = 0.0
    var learningRate = 0.0

    /// Whether these can be sums of a run: what is added to them later does not overflow then.
    var isPossible: Bool {
        let counts = tasks.flatMap { [$0.tokens, $0.examples, $0.sourceTokens] }
        return [steps, skipped ?? 0].allSatisfy { (0...RunState.mostSteps).contains($0) }
            && counts.allSatisfy { (0...(1 << 40)).contains($0) }
    }

    init(tasks count: Int) {
        tasks = Array(repeating: Task(), count: count)
    }

    mutating func add(_ result: StepResult) {
        learningRate = result.learningRate
        guard !result.isSkipped else {
            skipped = (skipped ?? 0) + 1
            return
        }
        for (i, sums) in result.tasks.enumerated() {
            tasks[i].loss += FixedPoint.value(sums.lossQuanta)
            tasks[i].tokens += sums.tokens
            tasks[i].examples += sums.examples
            tasks[i].sourceTokens += sums.sourceTokens
        }
        steps += 1
        gradientNormSum += result.gradientNorm
    }

    /// Label and source tokens.
    var tokenCount: Int64 { tasks.reduce(0) { $0 + $1.tokens + $1.sourceTokens } }
    var exampleCount: Int64 { tasks.reduce(0) { $0 + $1.examples } }

    /// Mean loss over the label tokens.
    var loss: Double { Self.mean(tasks) }

    /// The line for the steps since the last one, which took `seconds`.
    func record(step: Int, names: [String], seconds: Double) -> TrainRecord {
        var perTask: [String: TrainRecord.Task] = [:]
        for (name, sums) in zip(names, tasks) where sums.examples > 0 {
            perTask[name] = TrainRecord.Task(loss: Self.mean([sums]), tokens: sums.tokens, examples: sums.examples)
        }
        let timing = TrainRecord.Timing(
            seconds: seconds, examplesPerSecond: Double(exampleCount) / max(seconds, 1e-9),
            tokensPerSecond: Double(tokenCount) / max(seconds, 1e-9))
        return TrainRecord(
            step: step, loss: loss, learningRate: learningRate, gradientNorm: gradientNormSum / Double(max(steps, 1)),
            examples: exampleCount, tokens: tasks.reduce(0) { $0 + $1.tokens }, skippedSteps: skipped, tasks: perTask,
            timing: timing)
    }

    private static func mean(_ sums: [Task]) -> Double {
        let tokens = sums.reduce(0) { $0 + $1.tokens }
        return tokens == 0 ? 0 : sums.reduce(0) { $0 + $1.loss } / Double(tokens)
    }
}
