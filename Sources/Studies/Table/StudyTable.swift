import Runs
import Tasks

/// The result of a study: a line for each row and grid point. Equal results give an equal table.
package struct StudyTable: Encodable, Equatable {
    /// A number of a line over its seeds.
    package struct Cell: Encodable, Equatable {
        /// Task and metric; nil for the average.
        package var task: String?
        package var metric: String?
        /// Seeds with a value, and the values as fractions.
        package var seeds: [Int]
        package var values: [Double]
        package var mean: Double?
        /// Sample standard deviation over seeds; nil for one seed.
        package var deviation: Double?
        /// Seeds in which the figure is 0/0 and counts as 0; nil for none.
        package var undefined: [Int]?
        /// Difference from the reference; nil for a reference and without one.
        package var difference: PairedBootstrap.Difference?
    }

    /// A run without result.
    package struct Gap: Encodable, Equatable {
        package var run: String
        /// Why it failed; nil for a run that has not begun or goes on.
        package var reason: String?
        /// True while another job trains it, otherwise nil.
        package var runsElsewhere: Bool?
    }

    /// What a line's runs train and exchange, and how fast.
    package struct Cost: Encodable, Equatable {
        /// Trained weights of all runs of a seed.
        package var trainable: Int
        package var trainablePercent: Double
        package var trainablePercentPerTask: Double
        /// Mean over the runs; nil when no run is finished.
        package var examplesPerSecond: Double?
        /// Largest resident memory of a run in bytes, the mapped model included.
        package var peakMemory: Int?
        /// Bytes that a step sums over the ranks of a job, in the largest run.
        package var bytesPerStep: Int
    }

    /// A line.
    package struct Line: Encodable, Equatable {
        package var title: String
        package var row: String
        package var point: [String: String]
        /// Steps of the runs of a seed.
        package var steps: [Int]
        /// Runs of all seeds, and how many are finished.
        package var runs: Int
        package var finished: Int
        package var missing: [Gap]
        package var figures: [Cell]
        package var average: Cell
        package var cost: Cost
        /// The title of the line with which this one is compared.
        package var reference: String?
    }

    /// Runs whose products with frozen weights were computed by the same library or kernels, with the same loops.
    package struct Products: Encodable, Equatable {
        /// In what they differ from other runs that ask for the same: `products`, `loops` or both.
        package var differs: [Difference] = []
        package var computedBy: String
        /// The lines and the seeds of each.
        package var runs: [Runs]

        package struct Runs: Encodable, Equatable {
            package var title: String
            package var seeds: [Int]
        }

        package enum Difference: String, Encodable {
            case products
            case loops
        }
    }

    package var split: String
    /// Keys of the grid, in the order of the file.
    package var gridKeys: [String]
    package var seeds: [Int]
    package var resamples: Int
    /// Whether lines make other numbers of steps because their steps have other numbers of examples.
    package var scalesSteps: Bool
    package var lines: [Line]
    /// What computed the products of the runs, where runs that ask for the same were computed differently; else nil.
    package var products: [Products]?

    /// What is known of a line before it is run.
    package struct Counts: Equatable {
        /// Trained weights of each run of a seed.
        var trainable: [Int]
        var backbone: Int
        var tasks: Int
        var bytesPerStep: Int

        package init(trainable: [Int], backbone: Int, tasks: Int, bytesPerStep: Int) {
            self.trainable = trainable
            self.backbone = backbone
            self.tasks = tasks
            self.bytesPerStep = bytesPerStep
        }
    }

    /// A table of these lines.
    package init(split: String, gridKeys: [String] = [], seeds: [Int], resamples: Int, lines: [Line]) {
        self.split = split
        self.gridKeys = gridKeys
        self.seeds = seeds
        self.resamples = resamples
        scalesSteps = false
        self.lines = lines
    }

    /// Computes the table; `counts` are those of the lines. Nil when `isGivenUp`, which is asked all the time, says so.
    package init?(
        _ study: Study, _ results: StudyResults, counts: [Counts], resamples: Int = Resampling.count,
        isGivenUp: () -> Bool = { false }
    ) {
        split = study.split.rawValue
        gridKeys = study.file.axes.map(\.key)
        seeds = study.file.seeds
        self.resamples = resamples
        scalesSteps = study.scalesSteps
        lines = []
        let products = Products.different(study, results)
        self.products = products.isEmpty ? nil : products
        for index in study.lines.indices {
            let line = study.lines[index]
            let seeds = results.lines[index]
            let missing = results.missing.filter { $0.line == index }
            let runs = study.runs.count { $0.line == index }
            var table = Line(
                title: line.title, row: line.row,
                point: Dictionary(uniqueKeysWithValues: line.point.map { ($0.key, $0.value) }), steps: line.steps,
                runs: runs, finished: runs - missing.count,
                missing: missing.map {
                    Gap(run: $0.run, reason: $0.reason, runsElsewhere: $0.runsElsewhere ? true : nil)
                },
                figures: line.figures.map { Self.cell($0, seeds) }, average: Self.average(line.figures, seeds),
                cost: Self.cost(counts[index], seeds.flatMap(\.runs)))
            if let reference = study.references[index] {
                table.reference = study.lines[reference].title
                let shared = line.figures.filter { study.lines[reference].figures.contains($0) }
                guard
                    let result = PairedBootstrap.compare(
                        seeds, with: results.lines[reference], shared, resamples: resamples, isGivenUp: isGivenUp)
                else { return nil }
                for (figure, difference) in zip(shared, result.figures) {
                    let place = table.figures.firstIndex { $0.task == figure.task && $0.metric == figure.metric }
                    if let place { table.figures[place].difference = difference }
                }
                // Averages of different figures cannot be compared.
                if shared == line.figures, shared.count == study.lines[reference].figures.count {
                    table.average.difference = result.average
                }
            }
            lines.append(table)
        }
    }

    private static func cell(_ figure: StudyFigure, _ seeds: [SeedResult]) -> Cell {
        let values = seeds.compactMap { seed in
            seed.tasks[figure.task]?.figures[figure.metric].map { (seed.seed, $0) }
        }
        let undefined = seeds.filter { $0.tasks[figure.task]?.undefined.contains(figure.metric) == true }.map(\.seed)
        return Cell(
            task: figure.task, metric: figure.metric, seeds: values.map(\.0), values: values.map(\.1),
            mean: Moments.mean(values.map(\.1)), deviation: Moments.deviation(values.map(\.1)),
            undefined: undefined.isEmpty ? nil : undefined)
    }

    private static func average(_ figures: [StudyFigure], _ seeds: [SeedResult]) -> Cell {
        let values = seeds.compactMap { seed -> (Int, Double)? in
            let values = figures.compactMap { seed.tasks[$0.task]?.figures[$0.metric] }
            guard seed.isComplete, values.count == figures.count, let mean = Moments.mean(values) else { return nil }
            return (seed.seed, mean)
        }
        return Cell(
            seeds: values.map(\.0), values: values.map(\.1), mean: Moments.mean(values.map(\.1)),
            deviation: Moments.deviation(values.map(\.1)))
    }

    private static func cost(_ counts: Counts, _ runs: [RunResult]) -> Cost {
        let trainable = counts.trainable.reduce(0, +)
        let percent = 100 * Double(trainable) / Double(max(counts.backbone, 1))
        return Cost(
            trainable: trainable, trainablePercent: percent,
            trainablePercentPerTask: percent / Double(max(counts.tasks, 1)),
            examplesPerSecond: Moments.mean(runs.compactMap(\.examplesPerSecond)),
            peakMemory: runs.compactMap(\.peakMemory).max(), bytesPerStep: counts.bytesPerStep)
    }
}
