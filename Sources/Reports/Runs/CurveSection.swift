package import Pages
import Runs

/// How runs learned: losses and figures of every task over the steps, and how the examples were mixed.
package struct CurveSection {
    private let runs: [ReportedRun]
    private let tasks: [String]
    private let lastStep: Double

    /// Of some runs, which are drawn together on equal scales.
    package init(_ runs: [ReportedRun]) {
        self.runs = runs
        tasks = ReportedRun.tasks(runs)
        let steps = runs.flatMap { run in
            run.history.training.suffix(1).map(\.step) + run.history.evaluations.suffix(1).map(\.step)
        }
        lastStep = Double(steps.max() ?? 1)
    }

    /// The part of the page; it has no figure if the runs have logged nothing.
    package var section: Page.Section { section(named: "Learning curves") }

    /// The same with another title.
    func section(named title: String) -> Page.Section {
        let figures = [mixture, loss].compactMap(\.self) + tasks.compactMap(loss) + tasks.flatMap(figures)
        return Page.Section(
            title,
            text: figures.isEmpty
                ? [] : ["A point of a loss is the mean since the line before. All figures of a task have one scale."],
            figures: figures)
    }

    /// How the examples of each run were divided among the tasks.
    private var mixture: Figure? {
        let bars = runs.compactMap { run -> (name: String, shares: [Double])? in
            let counts = tasks.map { task in
                run.history.training.reduce(0) { $0 + Double($1.tasks[task]?.examples ?? 0) }
            }
            let total = counts.reduce(0, +)
            return total > 0 ? (run.name.text, counts.map { $0 / total }) : nil
        }
        guard !bars.isEmpty, tasks.count > 1 else { return nil }
        let table = DataTable(
            ["run"] + tasks, bars.map { [$0.name] + $0.shares.map { NumberText.fixed(100 * $0, 1) + " %" } })
        guard tasks.count <= ShareChart.mostParts else {
            // More parts of a bar cannot be told apart.
            let shares = bars.map { $0.shares.map { Optional(100 * $0) } }
            let largest = shares.joined().compactMap(\.self).max() ?? 100
            let map = HeatMap(
                rows: bars.map(\.name), columns: tasks, values: shares, colours: .sequential(0, largest), decimals: 1,
                unit: "percent")
            return Figure(
                "mixture", title: "Mixture of tasks",
                reading: "A row shows how a run's training examples were divided among the tasks, in percent.",
                map.drawing, table: table)
        }
        return Figure(
            "mixture", title: "Mixture of tasks",
            reading: "Each bar shows how a run's training examples were divided among the tasks.",
            ShareChart(bars, parts: tasks, name: "share of the training examples").drawing, table: table)
    }

    private var loss: Figure? {
        curve("loss", "Loss", "The training loss of all tasks together; lower is better.") { $0.loss }
    }

    private func loss(of task: String) -> Figure? {
        guard tasks.count > 1 else { return nil }
        return curve(
            "loss-\(Figure.identifier(task))", "Loss of \(task)", "The training loss of \(task); lower is better."
        ) { $0.tasks[task]?.loss }
    }

    private func curve(
        _ id: String, _ title: String, _ reading: String, _ value: (TrainRecord) -> Double?
    ) -> Figure? {
        let series = runs.enumerated().compactMap { index, run -> LineChart.Series? in
            let points = run.history.training.compactMap { record in
                value(record).map { (x: Double(record.step), y: $0) }
            }
            return points.isEmpty ? nil : LineChart.Series(run.name.text, points, index: index)
        }
        guard !series.isEmpty else { return nil }
        let chart = LineChart(
            series, horizontal: "step", vertical: "loss per label token", kind: .logarithmic,
            horizontalBounds: [0, lastStep])
        return Figure(id, title: title, reading: reading, chart.drawing, table: Self.table(series))
    }

    /// The validation figures of a task over the steps.
    private func figures(of task: String) -> [Figure] {
        let records = runs.map { $0.history.evaluations }
        let metrics = records.joined().reduce(into: [String]()) { metrics, record in
            for metric in (record.tasks[task]?.figures ?? [:]).keys.sorted() where !metrics.contains(metric) {
                metrics.append(metric)
            }
        }
        return metrics.compactMap { metric in
            let series = runs.enumerated().compactMap { index, run -> LineChart.Series? in
                let points = run.history.evaluations.compactMap { record in
                    record.tasks[task]?.figures[metric].map { (x: Double(record.step), y: 100 * $0) }
                }
                return points.isEmpty ? nil : LineChart.Series(run.name.text, points, index: index)
            }
            guard !series.isEmpty else { return nil }
            let split = records.joined().first?.split ?? "validation"
            let chart = LineChart(
                series, horizontal: "step", vertical: "\(metric), percent", bounds: [0, 100],
                horizontalBounds: [0, lastStep])
            return Figure(
                "figure-\(Figure.identifier(task))-\(Figure.identifier(metric))", title: "\(task): \(metric)",
                reading: "\(metric) on \(split) during the training; higher is better.", chart.drawing,
                table: Self.table(series))
        }
    }

    /// The points of several series, a row for each step.
    static func table(_ series: [LineChart.Series], horizontal: String = "step") -> DataTable {
        let places = Set(series.flatMap { $0.points.map(\.x) }).sorted()
        let values = series.map { series in
            Dictionary(series.points.map { ($0.x, $0.y) }) { first, _ in first }
        }
        return DataTable(
            [horizontal] + series.map(\.name),
            places.map { place in
                [NumberText.short(place, digits: 9)] + values.map { NumberText.short($0[place], digits: 4) }
            })
    }
}
