import Configuration
import Failures
import MPI
import Runs
import Tasks
import Training

/// The measuring itself; collective.
extension PlanMeasurement {
    /// The least steps that are measured; seconds after which no other begins.
    private static let (leastSteps, secondsOfSteps) = (3, 6.0)
    /// Seconds after which no other answers begin.
    private static let secondsOfAnswers = 8.0

    /// Whether rank 0 has measured for `seconds`; collective.
    private func isOver(_ begun: ContinuousClock.Instant, after seconds: Double) throws(Failure) -> Bool {
        let own = ProgressLine.seconds(begun.duration(to: .now)) >= seconds
        return try world.allReduce(.maximum, Int64(own ? 1 : 0)) == 1
    }

    /// What a unit of a worker's work takes, and a step in addition; the spread of the steps beside their mean.
    func measureSteps() throws(Failure) -> (
        unit: RunPace.Cost, step: RunPace.Cost, spread: ClosedRange<Double>, count: Int
    ) {
        var drawer = try DrawnSteps.Drawer(
            configuration, subject.data.mixture, examples, batch: batch, ranks: world.size, threads: threads)
        func keep() throws(Failure) {
            let progress = RunProgress(accumulator: MetricsAccumulator(tasks: base.taskNames.count))
            try checkpoints.keep(trainer.state, progress)
        }
        func step(_ step: Int) throws(Failure) -> RunPace.Cost {
            trainer.seek(to: step)
            try world.barrier()
            let watch = Watch()
            _ = try trainer.step()
            try keep()
            return watch.cost
        }
        for _ in 0..<2 { _ = try step(steps[0]) }
        let begun = ContinuousClock.now
        var costs: [RunPace.Cost] = []
        var works: [DrawnSteps.Work] = []
        for number in steps.dropFirst() + steps.prefix(1) {
            if costs.count >= Self.leastSteps, try isOver(begun, after: Self.secondsOfSteps) { break }
            costs.append(try step(number))
            works.append(drawer.work(number))
        }
        let watch = Watch()
        let repeats = 3
        for _ in 0..<repeats {
            try trainer.reduction.sumRanks()
            for _ in 0..<2 { trainer.reduction.unpack() }
            try keep()
        }
        let fixed = 1 / Double(repeats) * watch.cost
        let (busiest, all) = works.reduce((0, 0)) { ($0.0 + $1.busiest, $0.1 + $1.all) }
        let total = costs.reduce(RunPace.Cost(), +)
        let count = Double(costs.count)
        // What is measured of the fixed part alone cannot be more than a step.
        let seconds = max(total.seconds - count * fixed.seconds, 0.5 * total.seconds)
        let processor = max(total.processorSeconds - count * fixed.processorSeconds, 0.5 * total.processorSeconds)
        let unit = RunPace.Cost(
            seconds: seconds / busiest, processorSeconds: processor * Double(world.size) / all)
        let rates = zip(costs, works).map { $0.seconds * busiest / $1.busiest / total.seconds }
        return (unit, fixed, rates.min()!...rates.max()!, costs.count)
    }

    func measureCheckpoint() throws(Failure) -> RunPace.Cost {
        let watch = Watch()
        if world.rank == 0 { _ = try checkpoints.saveNewest() }
        let cost = watch.cost
        try world.barrier()
        return cost
    }

    /// What an operation of an answer takes for a worker, by task.
    func measureAnswers() throws(Failure) -> (costs: [RunPace.Cost], text: String) {
        let names = base.taskNames
        guard !windows.isEmpty else { return (names.map { _ in RunPace.Cost() }, "no answers") }
        let begun = ContinuousClock.now
        var sums = names.map { _ in (cost: RunPace.Cost(), busiest: 0.0, all: 0.0) }
        var (answered, isFirst) = (0, true)
        for window in windows {
            if !isFirst, try isOver(begun, after: Self.secondsOfAnswers) { break }
            let task = evaluationTask(window)
            // The first answers need memory that the workers do not have yet.
            if isFirst { _ = try trainer.answers([task], batchSize: configuration.evaluationBatch) }
            isFirst = false
            try world.barrier()
            let watch = Watch()
            _ = try trainer.answers([task], batchSize: configuration.evaluationBatch)
            let number = window.part.task
            sums[number].cost = sums[number].cost + watch.cost
            sums[number].busiest += TakenInTurn.busiest(window.batches, workers: threads * world.size)
            sums[number].all += window.batches.reduce(0, +)
            answered += window.examples.count
        }
        func cost(_ sum: (cost: RunPace.Cost, busiest: Double, all: Double)) -> RunPace.Cost {
            RunPace.Cost(
                seconds: sum.cost.seconds / sum.busiest,
                processorSeconds: sum.cost.processorSeconds * Double(world.size) / sum.all)
        }
        let measured = sums.filter { $0.busiest > 0 }
        let mean = cost(
            measured.reduce((RunPace.Cost(), 0, 0)) { ($0.0 + $1.cost, $0.1 + $1.busiest, $0.2 + $1.all) })
        return (
            sums.map { $0.busiest > 0 ? cost($0) : mean },
            "\(answered) answers of \(measured.count) task(s)"
        )
    }

    private func evaluationTask(_ window: Window) -> EvaluationTask {
        let task = window.part.task
        let definition = base.definitions[task]
        let places = window.examples.map {
            SampledExamples.Place(task: task, split: window.part.split, example: $0)
        }
        return unsafe EvaluationTask(
            name: definition.name, task: task, space: definition.answers, metrics: [], budget: base.budgets[task],
            gold: places.map { examples.golds[$0]! }, source: { [examples] in unsafe examples.source(places[$0]) })
    }
}
