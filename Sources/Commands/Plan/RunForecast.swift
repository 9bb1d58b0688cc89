import Configuration
import Foundation
import Training

/// How long a run takes, part by part.
struct RunForecast: Encodable {
    /// A part of the run.
    struct Part: Encodable {
        enum Name: String, Encodable, CaseIterable {
            case start
            case steps
            case evaluations
            case finalEvaluation
            case checkpoints
        }

        let name: Name
        let count: Int
        /// What each one takes.
        let each: RunPace.Cost
        /// What all of them take.
        var cost: RunPace.Cost { Double(count) * each }

        enum CodingKeys: String, CodingKey { case name, count, seconds, processorSeconds }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(count, forKey: .count)
            try container.encode(cost.seconds, forKey: .seconds)
            try container.encode(cost.processorSeconds, forKey: .processorSeconds)
        }
    }

    let parts: [Part]
    let seconds: Double
    let processorSeconds: Double
    /// Cores of all ranks times hours.
    let coreHours: Double
    /// Whether the times were measured; else they are a guess.
    let isMeasured: Bool
    /// Answers of each evaluation, and at the end.
    let answers: (each: Int, atEnd: Int)
    /// Steps that are saved whatever their evaluation shows.
    let savedSteps: Int
    /// Whether the token cache is there at the start.
    let hasTokenCache: Bool
    private let cores: Int
    private let sources: [String]

    enum CodingKeys: String, CodingKey {
        case parts, seconds, processorSeconds, coreHours, isMeasured, hasTokenCache, savedSteps
    }

    /// Adds up a run of `ranks` ranks with `threads` workers each. `precision` is the work of measuring the precision at the start,
    /// for one worker.
    init(
        _ configuration: RunConfiguration, _ work: DrawnSteps.Work, _ planned: PlannedAnswers, _ pace: RunPace,
        ranks: Int, threads: Int, precision: Double
    ) {
        let options = LoopOptions(configuration)
        let workers = threads * (configuration.evaluatesOnAllRanks ? ranks : 1)
        func cost(_ parts: [PlannedAnswers.Part]) -> RunPace.Cost {
            let batches = parts.flatMap { part in part.batches.map { $0 * pace.answers[part.task].seconds } }
            return RunPace.Cost(
                seconds: TakenInTurn.busiest(batches, workers: workers),
                processorSeconds: parts.reduce(0) { sum, part in
                    sum + part.batches.reduce(0, +) * pace.answers[part.task].processorSeconds
                })
        }
        let evaluations = planned.during.isEmpty ? 0 : options.evaluations
        let step = RunPace.Cost(
            seconds: work.busiest * pace.unit.seconds + pace.step.seconds,
            processorSeconds: work.all * pace.unit.processorSeconds + Double(ranks) * pace.step.processorSeconds)
        parts = [
            Part(name: .start, count: 1, each: pace.start + precision * pace.unit),
            Part(name: .steps, count: configuration.steps, each: step),
            Part(name: .evaluations, count: evaluations, each: cost(planned.during)),
            Part(name: .finalEvaluation, count: planned.atEnd.isEmpty ? 0 : 1, each: cost(planned.atEnd)),
            // An evaluated step is written again with its result, or because it is the best.
            Part(name: .checkpoints, count: options.checkpoints + evaluations, each: pace.checkpoint),
        ]
        let total = parts.reduce(RunPace.Cost()) { $0 + $1.cost }
        (seconds, processorSeconds) = (total.seconds, total.processorSeconds)
        cores = ranks * threads
        coreHours = total.seconds * Double(cores) / 3600
        isMeasured = pace.isMeasured
        hasTokenCache = pace.hasTokenCache
        sources = pace.sources
        answers = (planned.during.count, planned.atEnd.count)
        savedSteps = options.checkpoints
    }

    /// One of the parts.
    func part(_ name: Part.Name) -> Part { parts.first { $0.name == name }! }

    /// The lines for people.
    var lines: [String] {
        let (steps, evaluations, checkpoints) = (part(.steps), part(.evaluations), part(.checkpoints))
        var lines = [
            "start                \(Self.seconds(part(.start).cost)), "
                + (hasTokenCache ? "the token cache is there" : "with tokenising, since there is no token cache"),
            "steps                \(steps.count) x \(Self.seconds(steps.each)) = \(Self.clock(steps.cost.seconds))",
        ]
        if evaluations.count > 0 {
            lines.append(
                "evaluations          \(evaluations.count) x \(Self.seconds(evaluations.each)) (\(answers.each) answers each)"
            )
        }
        if part(.finalEvaluation).count > 0 {
            lines.append(
                "final evaluation     \(Self.seconds(part(.finalEvaluation).cost)) (\(answers.atEnd) answers)")
        }
        lines.append(
            "checkpoints          of \(savedSteps) step(s) and the best, at most \(checkpoints.count) x "
                + "\(Self.seconds(checkpoints.each)), counted as if training waited for them")
        lines.append(
            "total                about \(Self.clock(seconds)), \(String(format: "%.3g", coreHours)) core-hours of \(cores) core(s), "
                + "\(Self.clock(processorSeconds)) of processor time")
        lines += sources.map { "                     \($0)" }
        return lines
    }

    /// Hours, minutes and seconds, as in 1:02:03; days before them if there are some.
    static func clock(_ seconds: Double) -> String {
        // Longer than any machine lives.
        let all = Int(min(seconds, 1e12).rounded(.up))
        let time = String(format: "%d:%02d:%02d", all / 3600 % 24, all / 60 % 60, all % 60)
        return all >= 86_400 ? "\(all / 86_400) d \(time)" : time
    }

    private static func seconds(_ cost: RunPace.Cost) -> String { String(format: "%.3g s", cost.seconds) }
}
