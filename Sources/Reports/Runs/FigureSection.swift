package import Pages
import Runs
import Tasks

/// The figures of runs at their ends, task by task.
package struct FigureSection {
    private let runs: [ReportedRun]

    /// Of some runs.
    package init(_ runs: [ReportedRun]) { self.runs = runs }

    /// The part of the page; it has no figure if no run is finished.
    package var section: Page.Section {
        let figures = [SplitName.validation, .test].compactMap(figure)
        let without = runs.filter { $0.history.figures.isEmpty }.map(\.name)
        return Page.Section(
            "Results",
            text: figures.isEmpty || without.isEmpty ? [] : ["Without results: \(without.joined(separator: ", "))."],
            figures: figures)
    }

    private func figure(_ split: SplitName) -> Figure? {
        let records = runs.enumerated().compactMap { index, run in
            run.history.figures[split].map { (index: index, name: run.name, record: $0) }
        }
        guard !records.isEmpty else { return nil }
        let names = records.reduce(into: [(task: String, metric: String)]()) { names, run in
            for task in ReportedRun.tasks(runs) {
                for metric in (run.record.tasks[task]?.figures ?? [:]).keys.sorted()
                where !names.contains(where: { $0 == (task, metric) }) {
                    names.append((task, metric))
                }
            }
        }
        func value(_ record: EvaluationRecord, _ name: (task: String, metric: String)) -> Double? {
            record.tasks[name.task]?.figures[name.metric].map { 100 * $0 }
        }
        let averages = records.map { ($0.index, $0.name, Optional(100 * $0.record.average)) }
        let groups: [(name: String?, rows: [IntervalChart.Row])]
        if runs.count == 1 {
            let rows = names.map {
                IntervalChart.Row("\($0.task) \($0.metric)", value(records[0].record, $0), index: 0)
            }
            groups = [(nil, rows + [IntervalChart.Row("average", averages[0].2, index: 1)])]
        } else {
            let rows = names.map { name in
                (
                    name: Optional("\(name.task) \(name.metric)"),
                    rows: records.map { IntervalChart.Row($0.name, value($0.record, name), index: $0.index) }
                )
            }
            groups = rows + [("average", averages.map { IntervalChart.Row($1, $2, index: $0) })]
        }
        let chart = IntervalChart(groups, name: "percent, \(split)", bounds: [0, 100])
        let steps = "step " + records.map { "\($0.record.step)" }.joined(separator: ", ")
        let rows = names.map { name in
            ["\(name.task) \(name.metric)"] + records.map { NumberText.fixed(value($0.record, name), 2) }
        }
        return Figure(
            "results-\(split)", title: "Figures on \(split)",
            reading:
                "Figures at the end of each run, of its best checkpoint (\(steps)), in percent; further right is better.",
            chart.drawing,
            table: DataTable(
                ["figure"] + records.map(\.name),
                rows + [["average"] + averages.map { NumberText.fixed($0.2, 2) }]))
    }
}
