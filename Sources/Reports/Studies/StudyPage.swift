import Analysis
package import Pages
package import Runs
package import Studies

/// The page of a study: its table as figures with intervals, what each line costs, and how the lines learned.
package struct StudyPage {
    private let table: StudyTable
    /// The histories of the finished and unfinished runs of each line; empty for a line with a run for each task.
    private let histories: [[RunHistory]]
    private let adapters: [StudyAdapter]

    /// - Parameters:
    ///   - histories: by line; lists that are empty have no curves.
    ///   - adapters: of the lines' runs of the first seed.
    package init(_ table: StudyTable, histories: [[RunHistory]], adapters: [StudyAdapter] = []) {
        self.table = table
        self.histories = histories
        self.adapters = adapters
    }

    /// The page.
    package func page(version: String) -> Page {
        let finished = table.lines.reduce(0) { $0 + $1.finished }
        let runs = table.lines.reduce(0) { $0 + $1.runs }
        return Page(
            title: "Study",
            introduction: [
                "\(finished) of \(runs) runs are finished, of \(table.lines.count) lines and \(table.seeds.count == 1 ? "one seed" : "\(table.seeds.count) seeds"). Figures are of the \(table.split) "
                    + "split, in percent. All numbers are in table.json, .csv, .md and .tex beside this page."
            ],
            sections: [overview, results, differences, curves, cost] + firstSeed + adapterSections,
            footer: "Made by unolora-dist \(version).")
    }

    private var overview: Page.Section {
        Page.Section(
            "Lines", text: gaps,
            table: DataTable(
                ["line", "average", "deviation over seeds", "difference", "trained, percent", "examples per second"],
                table.lines.map { line in
                    let average = line.average
                    return [
                        line.title, percent(average.mean), percent(average.deviation), text(average.difference),
                        NumberText.short(line.cost.trainablePercent),
                        NumberText.short(line.cost.examplesPerSecond),
                    ]
                }))
    }

    /// A sentence for each line that is not whole.
    private var gaps: [String] {
        table.lines.compactMap { line in
            guard !line.missing.isEmpty else { return nil }
            let reasons = line.missing.compactMap(\.reason)
            let reason = reasons.first.map { "; \($0)" } ?? ""
            return "\(line.title): \(line.missing.count) of \(line.runs) runs have no result\(reason)."
        }
    }

    private func percent(_ value: Double?) -> String { NumberText.fixed(value.map { 100 * $0 }, 2) }

    private func text(_ difference: PairedBootstrap.Difference?) -> String {
        guard let difference else { return "\u{2013}" }
        return "\(percent(difference.mean)) (\(percent(difference.low)) to \(percent(difference.high)))"
    }

    private static func name(_ cell: StudyTable.Cell) -> String {
        guard let task = cell.task, let metric = cell.metric else { return "average" }
        return "\(task) \(metric)"
    }

    /// The names of all figures, the average last, in the order in which they occur.
    private var names: [String] {
        let figures = table.lines.reduce(into: [String]()) { names, line in
            for name in line.figures.map(Self.name) where !names.contains(name) { names.append(name) }
        }
        return figures + ["average"]
    }

    private func cell(_ name: String, of line: StudyTable.Line) -> StudyTable.Cell? {
        (line.figures + [line.average]).first { Self.name($0) == name }
    }

    /// Each figure of all lines: the mean over seeds with the range of the seeds.
    private var results: Page.Section {
        let figures = names.compactMap { name -> Figure? in
            let cells = table.lines.map { cell(name, of: $0) }
            guard cells.contains(where: { $0?.mean != nil }) else { return nil }
            let rows = zip(table.lines, cells).enumerated().map { index, pair in
                let values = (pair.1?.values ?? []).map { 100 * $0 }
                let interval = values.count > 1 ? (values.min() ?? 0)...(values.max() ?? 0) : nil
                return IntervalChart.Row(pair.0.title, pair.1?.mean.map { 100 * $0 }, interval, index: index)
            }
            return Figure(
                "result-\(Figure.identifier(name))", title: name,
                reading: table.seeds.count > 1
                    ? "A point is the mean over the seeds, the bar their range; further right is better."
                    : "One seed; further right is better.",
                IntervalChart([(nil, rows)], name: "percent").drawing,
                table: DataTable(
                    ["line", "mean", "deviation"] + table.seeds.map { "seed \($0)" },
                    zip(table.lines, cells).map { line, cell in
                        [line.title, percent(cell?.mean), percent(cell?.deviation)]
                            + table.seeds.map { seed in
                                percent(cell?.seeds.firstIndex(of: seed).flatMap { cell?.values[$0] })
                            }
                    }))
        }
        return Page.Section("Results", figures: figures)
    }

    /// The differences from the reference with their intervals.
    private var differences: Page.Section {
        let figures = names.compactMap { name -> Figure? in
            let rows = table.lines.enumerated().compactMap { index, line -> (IntervalChart.Row, [String])? in
                guard let difference = cell(name, of: line)?.difference else { return nil }
                let (low, high) = (100 * difference.low, 100 * difference.high)
                return (
                    IntervalChart.Row(line.title, 100 * difference.mean, min(low, high)...max(low, high), index: index),
                    [line.title, percent(difference.mean), percent(difference.low), percent(difference.high)]
                )
            }
            guard !rows.isEmpty else { return nil }
            return Figure(
                "difference-\(Figure.identifier(name))", title: "\(name): difference",
                reading: "Where the bar crosses the dashed line, the two may be equally good.",
                IntervalChart([(nil, rows.map(\.0))], name: "percentage points", bounds: [0], reference: 0).drawing,
                table: DataTable(["line", "difference", "low", "high"], rows.map(\.1)))
        }
        guard !figures.isEmpty else { return Page.Section("Differences from the reference") }
        return Page.Section(
            "Differences from the reference",
            text: [
                "The paired difference from \(Set(table.lines.compactMap(\.reference)).sorted().joined(separator: ", ")), with "
                    + "the interval that holds 95 % of \(table.resamples) resamples of seeds and test examples."
            ], figures: figures)
    }

    /// The validation averages of the lines over the steps: mean over the seeds, with their range.
    private var curves: Page.Section {
        let figures = [
            curve(
                "average", "Average during the training", "Mean over the seeds, with their range; higher is better.",
                "percent"
            ) { history in history.evaluations.map { ($0.step, 100 * $0.average) } },
            curve(
                "loss", "Training loss", "Mean over the seeds, with their range; lower is better.",
                "loss per label token"
            ) { history in history.training.map { ($0.step, $0.loss) } },
        ]
        let without = zip(table.lines, histories).filter { $1.allSatisfy(\.training.isEmpty) }.map(\.0.title)
        let shown = figures.compactMap(\.self)
        return Page.Section(
            "Learning curves",
            text: shown.isEmpty || without.isEmpty
                ? []
                : [
                    "Without curves, since nothing was trained or every task has a run of its own: "
                        + "\(without.joined(separator: ", "))."
                ], figures: shown)
    }

    private func curve(
        _ id: String, _ title: String, _ reading: String, _ vertical: String,
        _ values: (RunHistory) -> [(step: Int, value: Double)]
    ) -> Figure? {
        let series = zip(table.lines, histories).enumerated().compactMap { index, pair -> LineChart.Series? in
            var byStep: [Int: [Double]] = [:]
            for history in pair.1 {
                for point in values(history) { byStep[point.step, default: []].append(point.value) }
            }
            let steps = byStep.sorted { $0.key < $1.key }
            guard !steps.isEmpty else { return nil }
            let points = steps.map { (x: Double($0.key), y: $0.value.reduce(0, +) / Double($0.value.count)) }
            let band = steps.map { (x: Double($0.key), low: $0.value.min() ?? 0, high: $0.value.max() ?? 0) }
            return LineChart.Series(pair.0.title, points, band: pair.1.count > 1 ? band : [], index: index)
        }
        guard !series.isEmpty else { return nil }
        let chart = LineChart(
            series, horizontal: "step", vertical: vertical, kind: id == "loss" ? .logarithmic : .linear)
        return Figure("curve-\(id)", title: title, reading: reading, chart.drawing, table: CurveSection.table(series))
    }

    /// The curves task by task, the mixture and the gradients of the tasks, of each line's run of the first seed.
    private var firstSeed: [Page.Section] {
        let runs = zip(table.lines, histories).compactMap { line, histories -> ReportedRun? in
            guard let history = histories.first, !history.training.isEmpty else { return nil }
            let tasks = line.figures.compactMap(\.task).reduce(into: [String]()) { tasks, task in
                if !tasks.contains(task) { tasks.append(task) }
            }
            let name = RunName(line.title, history.condition, isAlone: table.lines.count == 1)
            return ReportedRun(name: name, tasks: tasks, history: history)
        }
        guard !runs.isEmpty, let seed = table.seeds.first else { return [] }
        return [CurveSection(runs).section(named: "Tasks of seed \(seed)"), InterferenceSection(runs).section]
    }

    /// What became of the adapters of the lines.
    private var adapterSections: [Page.Section] {
        guard !adapters.isEmpty, let seed = table.seeds.first else { return [] }
        var (analysed, text): ([ReportedAdapter], [String]) = ([], [])
        for adapter in adapters {
            switch adapter {
            case .analysed(let adapter):
                analysed.append(adapter)
                text += adapter.analysis.source.notes.map { "\(adapter.name.text): \($0)." }
            case .absent(let line, let reason): text.append("Not here: \(line): \(reason).")
            }
        }
        let what =
            "Of each line the run of seed \(seed) at its best checkpoint, on equal scales. unolora-dist analyze RUN... measures more, "
            + "compares runs and writes all numbers."
        return [
            Page.Section("Adapters of seed \(seed)", text: [what] + text), SpectrumSection(analysed).section,
            ScaleSection(analysed).section,
        ]
    }

    /// What a line trains against what it reaches.
    private var cost: Page.Section {
        let lines = table.lines.filter { $0.average.mean != nil && $0.cost.trainablePercent > 0 }
        let points = lines.enumerated().map { index, line -> (ScatterChart.Point, [String]) in
            (
                ScatterChart.Point(
                    line.title, line.cost.trainablePercent, 100 * (line.average.mean ?? 0), group: index),
                [line.title, NumberText.short(line.cost.trainablePercent), percent(line.average.mean)]
            )
        }
        guard points.count > 1 else { return Page.Section("Cost") }
        let figure = Figure(
            "cost", title: "Average against trained weights",
            reading: "Further up is better, further left is cheaper.",
            ScatterChart(
                points.map(\.0), groups: lines.map(\.title),
                horizontal: "trained percent of the model", vertical: "average, percent", kind: .logarithmic
            ).drawing, table: DataTable(["line", "trained, percent", "average"], points.map(\.1)))
        return Page.Section("Cost", figures: [figure])
    }
}
