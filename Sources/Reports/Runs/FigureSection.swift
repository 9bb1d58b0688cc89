package import Pages
import Runs
import Studies
import Tasks

/// The figures of runs at their ends, task by task, with intervals where the runs have a record of their answers.
package struct FigureSection {
    private let runs: [ReportedRun]

    /// Of some runs.
    package init(_ runs: [ReportedRun]) { self.runs = runs }

    /// The part of the page; it has no figure if no run is finished.
    package var section: Page.Section {
        let figures = [SplitName.validation, .test].compactMap(figure)
        let without = runs.filter { $0.history.figures.isEmpty }.map(\.name.text)
        return Page.Section(
            "Results",
            text: figures.isEmpty || without.isEmpty ? [] : ["Without results: \(without.joined(separator: ", "))."],
            figures: figures)
    }

    /// A run with its figures on a split, in percent.
    private struct Measured {
        var index: Int
        var name: String
        var record: EvaluationRecord
        var intervals: FigureIntervals?

        func row(_ figure: StudyFigure, named name: String) -> IntervalChart.Row {
            let value = record.tasks[figure.task]?.figures[figure.metric]
            return IntervalChart.Row(
                name, value.map { 100 * $0 }, Self.percent(intervals?.figures[figure]), index: index)
        }

        func average(named name: String) -> IntervalChart.Row {
            IntervalChart.Row(name, 100 * record.average, Self.percent(intervals?.average), index: index)
        }

        private static func percent(_ interval: ClosedRange<Double>?) -> ClosedRange<Double>? {
            interval.map { 100 * $0.lowerBound...100 * $0.upperBound }
        }
    }

    private func figure(_ split: SplitName) -> Figure? {
        let measured = runs.enumerated().compactMap { index, run in
            run.history.figures[split].map {
                Measured(index: index, name: run.name.text, record: $0, intervals: run.intervals[split])
            }
        }
        guard !measured.isEmpty else { return nil }
        var figures: [StudyFigure] = []
        for run in measured {
            for task in ReportedRun.tasks(runs) {
                for metric in (run.record.tasks[task]?.figures ?? [:]).keys.sorted() {
                    let figure = StudyFigure(task: task, metric: metric)
                    if !figures.contains(figure) { figures.append(figure) }
                }
            }
        }
        let names = figures.map { "\($0.task) \($0.metric)" } + ["average"]
        // A row of the table for each figure and run, in the order of the chart.
        func rows(_ run: Measured, named name: (Int) -> String) -> [IntervalChart.Row] {
            figures.enumerated().map { run.row($1, named: name($0)) } + [run.average(named: name(figures.count))]
        }
        let groups: [(name: String?, rows: [IntervalChart.Row])]
        if let only = measured.first, runs.count == 1 {
            groups = [(nil, rows(only) { names[$0] })]
        } else {
            let all = measured.map { run in rows(run) { _ in run.name } }
            groups = names.enumerated().map { place, name in (name, all.map { $0[place] }) }
        }
        let steps = measured.map { "\($0.record.step)" }.joined(separator: ", ")
        return Figure(
            "results-\(split)", title: "Figures on \(split)",
            reading:
                "Percent, of each run's best checkpoint (step \(steps)); further right is better. \(bars(measured))",
            IntervalChart(groups, name: "percent, \(split)", bounds: [0, 100]).drawing,
            table: DataTable(
                ["figure"] + (runs.count > 1 ? ["run"] : []) + ["value", "low", "high"],
                zip(names, runs.count == 1 ? groups[0].rows.map { [$0] } : groups.map(\.rows)).flatMap { name, rows in
                    rows.map { row in
                        [name] + (runs.count > 1 ? [row.name] : [])
                            + [row.value, row.interval?.lowerBound, row.interval?.upperBound].map {
                                NumberText.fixed($0, 2)
                            }
                    }
                }))
    }

    /// What the bars are, and which runs have none.
    private func bars(_ measured: [Measured]) -> String {
        let without = measured.filter { $0.intervals?.figures.isEmpty ?? true }
        guard without.count < measured.count else {
            return "No intervals, since no answers are kept with these figures."
        }
        let rest =
            without.isEmpty
            ? "" : "; \(without.map(\.name).joined(separator: ", ")): none, since no answers are kept with the figures"
        return "A bar holds 95 % of \(Resampling.count) resamples of the examples\(rest)."
    }
}
