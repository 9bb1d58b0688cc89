import Configuration
import Failures
import Tasks
import Training

/// What is measured, chosen so that a few steps and answers stand for all.
extension PlanMeasurement {
    /// The most steps that are measured.
    private static let mostSteps = 12

    /// Consecutive examples of a task, about as long as each other, that all workers answer at once.
    struct Window {
        let part: PlannedAnswers.Part
        let examples: [Int]
        let batches: [Double]
    }

    /// The steps to measure: of the first steps of a run with this batch, those whose costs are spread over all costs, also when
    /// only some of them are measured.
    static func chooseSteps(
        _ configuration: RunConfiguration, _ data: PlannedData, batch: Int, ranks: Int, threads: Int
    ) throws(Failure) -> (steps: [Int], places: [SampledExamples.Place]) {
        let lengths = data.lengths
        var drawer = try DrawnSteps.Drawer(
            configuration, data.mixture, lengths, batch: batch, ranks: ranks, threads: threads)
        let candidates = 0..<DrawnSteps.number(of: .max, batch: batch)
        let costs = candidates.map { (step: $0, cost: drawer.work($0).busiest) }
            .sorted { ($0.cost, $0.step) < ($1.cost, $1.step) }
        var chosen: [Int] = []
        for number in 1...(mostSteps + 1) {
            let step = costs[Int(halved(number) * Double(costs.count))].step
            if !chosen.contains(step) { chosen.append(step) }
        }
        var places: [SampledExamples.Place] = []
        for step in chosen {
            _ = drawer.work(step)
            places += drawer.slots.map { SampledExamples.Place(task: $0.task, split: .train, example: $0.example) }
        }
        return (chosen, places)
    }

    /// The numbers 1/2, 1/4, 3/4, 1/8, 5/8, ...: any first ones of them are spread over the interval from 0 to 1.
    private static func halved(_ number: Int) -> Double {
        var (rest, value, part) = (number, 0.0, 0.5)
        while rest > 0 {
            if rest & 1 == 1 { value += part }
            rest >>= 1
            part /= 2
        }
        return value
    }

    /// What to answer at once: of each task first batches of middle length, then of longer and shorter texts; the tasks with most
    /// work first. Each worker gets as many batches as have at most `most` operations, at least one.
    static func windows(_ subject: Subject, workers: Int, most: Double) -> [Window] {
        let (configuration, planned) = (subject.configuration, subject.planned)
        guard configuration.evaluates else { return [] }
        let parts = planned.during.isEmpty ? planned.atEnd : planned.during
        let sorted = parts.sorted { ($0.batches.reduce(0, +), $1.task) > ($1.batches.reduce(0, +), $0.task) }
        return [0.5, 0.1, 0.8].flatMap { position in
            sorted.compactMap { part in
                let middle = part.batches[part.batches.count / 2]
                let batches = workers * max(1, Int(min(most / max(middle, 1), 1e6)))
                // A part that is hardly larger than one window is measured once.
                guard position == 0.5 || part.batches.count > 2 * batches else { return nil }
                let centre = Int(position * Double(part.batches.count)) - batches / 2
                let first = max(0, min(centre, part.batches.count - batches))
                let size = configuration.evaluationBatch
                return Window(
                    part: part, examples: Array(part.examples.dropFirst(first * size).prefix(batches * size)),
                    batches: Array(part.batches.dropFirst(first).prefix(batches)))
            }
        }
    }
}
