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
    }

    struct Timing: Codable, Equatable {
        var seconds: Double
        var examplesPerSecond: Double
    }

    var kind = "evaluation"
    var step: Int
    var split: String
    var average: Double
    var averagedFigures: Int
    var averageOverTasks: Double
    var tasks: [String: Task]
    var timing: Timing
}

/// Appends to `metrics.jsonl`; only rank 0 has one.
final class MetricsLog {
    private let file: GrowingFile

    /// Opens the file to append; lines of steps after `step` are cut off, as is a line that was not finished.
    /// `evaluated`: whether an evaluation of `step` itself is kept.
    init(path: String, keepingThrough step: Int, evaluated: Bool = true) throws(Failure) {
        try Self.truncate(path, keepingThrough: step, evaluated: evaluated)
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

    private static func truncate(_ path: String, keepingThrough step: Int, evaluated: Bool) throws(Failure) {
        var old = Data()
        if FileManager.default.fileExists(atPath: path) {
            let file = try MappedFile(path: path, followingLinks: false)
            old = withExtendedLifetime(file) { Data(file.bytes) }
        }
        let kept = lines(of: old, keepingThrough: step, evaluated: evaluated)
        guard kept != old || old.isEmpty else { return }
        try DurableFile.replace(path) { file throws(Failure) in try file.write([UInt8](kept)) }
    }

    /// The lines that are kept of a file's content, each with its end.
    static func lines(of old: Data, keepingThrough step: Int, evaluated: Bool) -> Data {
        var kept = Data()
        for line in old.split(separator: 0x0A) {
            // Lines of one run stand in the order of their steps; the first that is later, or torn, ends what is kept.
            guard let parsed = try? BoundedJSON.decode(Stepped.self, from: line), parsed.step <= step else { break }
            if !evaluated, parsed.step == step, parsed.kind == "evaluation" { break }
            kept.append(contentsOf: line)
            kept.append(0x0A)
        }
        return kept
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
    var gradientNormSum = 0.0
    var learningRate = 0.0

    /// Whether these can be sums of a run: what is added to them later does not overflow then.
    var isPossible: Bool {
        let counts = tasks.flatMap { [$0.tokens, $0.examples, $0.sourceTokens] }
        return (0...RunState.mostSteps).contains(steps) && counts.allSatisfy { (0...(1 << 40)).contains($0) }
    }

    init(tasks count: Int) {
        tasks = Array(repeating: Task(), count: count)
    }

    mutating func add(_ result: StepResult) {
        for (i, sums) in result.tasks.enumerated() {
            tasks[i].loss += FixedPoint.value(sums.lossQuanta)
            tasks[i].tokens += sums.tokens
            tasks[i].examples += sums.examples
            tasks[i].sourceTokens += sums.sourceTokens
        }
        steps += 1
        gradientNormSum += result.gradientNorm
        learningRate = result.learningRate
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
            examples: exampleCount, tokens: tasks.reduce(0) { $0 + $1.tokens }, tasks: perTask, timing: timing)
    }

    private static func mean(_ sums: [Task]) -> Double {
        let tokens = sums.reduce(0) { $0 + $1.tokens }
        return tokens == 0 ? 0 : sums.reduce(0) { $0 + $1.loss } / Double(tokens)
    }
}
