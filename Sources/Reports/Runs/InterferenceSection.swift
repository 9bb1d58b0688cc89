package import Pages
import Runs

/// How the gradients of the tasks went together while runs trained.
package struct InterferenceSection {
    private let runs: [ReportedRun]

    /// Of some runs.
    package init(_ runs: [ReportedRun]) { self.runs = runs }

    /// The part of the page; it has no figure if no run has measured.
    package var section: Page.Section {
        let measured = runs.filter { !$0.history.interference.isEmpty }
        guard !measured.isEmpty else { return Page.Section("Which tasks help each other") }
        return Page.Section(
            "Which tasks help each other",
            text: [
                "The cosine of two tasks' gradients: above 0 (orange) a step for one helps the other, below 0 (blue) it hurts. "
                    + "Noise of small batches moves every cosine towards 0; signs that stay over the steps count."
            ],
            figures: figures(measured) + summaries(measured))
    }

    /// The figures of each run, on the scales of all.
    private func figures(_ measured: [ReportedRun]) -> [Figure] {
        let matrices = measured.map { ($0, means($0)) }
        let courses = measured.map { ($0, pairs($0)) }
        let reach = Self.reach(matrices.flatMap { $0.1?.flatMap(\.self) ?? [] })
        let reachOverTime = Self.reach(courses.flatMap { $0.1?.rows.flatMap { $0.values } ?? [] })
        let norms = measured.flatMap { $0.history.interference.flatMap { $0.norms.compactMap(\.self) } }
        let last = measured.compactMap { $0.history.interference.last?.step }.max() ?? 1
        // Figures of one kind stand side by side.
        return matrices.compactMap { run, values in values.map { matrix(run, $0, reach) } }
            + courses.compactMap { run, pairs in pairs.map { overTime(run, $0, reachOverTime) } }
            + measured.compactMap {
                self.norms($0, bounds: [norms.min() ?? 1, norms.max() ?? 1], last: Double(last))
            }
    }

    /// The mean over the second half of the measurements of what is known.
    private func mean(_ values: [Double?]) -> Double? {
        let known = values.suffix((values.count + 1) / 2).compactMap(\.self)
        return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    }

    /// The mean cosines of the tasks' gradients; nil if the tasks changed.
    private func means(_ run: ReportedRun) -> [[Double?]]? {
        let records = run.history.interference
        guard let tasks = records.last?.tasks, records.allSatisfy({ $0.tasks == tasks }) else { return nil }
        return tasks.indices.map { i in
            // A task with itself has a cosine of 1.
            tasks.indices.map { j in i == j ? nil : mean(records.map { $0.cosine(i, j) }) }
        }
    }

    private func matrix(_ run: ReportedRun, _ values: [[Double?]], _ reach: Double) -> Figure {
        let tasks = run.history.interference.last?.tasks ?? []
        let map = HeatMap(
            rows: tasks, columns: tasks, values: values, colours: .diverging(centre: 0, reach: reach), unit: "cosine")
        return Figure(
            run.name.id("cosines"), title: "Gradient cosines\(run.name.suffix)",
            reading: "Mean of the second half of the training: orange pairs help each other, blue pairs hurt.",
            map.drawing, table: Self.table(tasks, tasks, values))
    }

    /// Half-ranges that are easy to read.
    private static func reach(_ values: [Double?]) -> Double {
        let largest = values.reduce(0) { max($0, ($1 ?? 0).magnitude) }
        return [0.1, 0.2, 0.5, 1].first { $0 >= largest } ?? 1
    }

    static func table(_ rows: [String], _ columns: [String], _ values: [[Double?]], digits: Int = 3) -> DataTable {
        DataTable([""] + columns, zip(rows, values).map { [$0] + $1.map { NumberText.fixed($0, digits) } })
    }

    /// The cosines of pairs of tasks over the steps, those of the pairs with the largest means.
    private struct Pairs {
        var steps: [String]
        var rows: [(name: String, values: [Double?])]
        var omitted: Int
    }

    /// The largest number of pairs that a figure shows.
    private static let mostPairs = 45

    private func pairs(_ run: ReportedRun) -> Pairs? {
        let records = run.history.interference
        guard let tasks = records.last?.tasks, records.count > 1, records.allSatisfy({ $0.tasks == tasks }) else {
            return nil
        }
        // Neighbouring measurements share a column where there are too many for the width.
        let columns = min(records.count, 40)
        let parts = (0..<columns).map { records[$0 * records.count / columns..<($0 + 1) * records.count / columns] }
        let pairs = tasks.indices.flatMap { i in tasks.indices.filter { $0 > i }.map { (i, $0) } }
        var rows = pairs.map { i, j in
            (
                name: "\(tasks[i])\u{2013}\(tasks[j])",
                values: parts.map { part -> Double? in
                    let known = part.compactMap { $0.cosine(i, j) }
                    return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
                }
            )
        }
        rows.sort { (mean($0.values) ?? 0).magnitude > (mean($1.values) ?? 0).magnitude }
        let omitted = max(0, rows.count - Self.mostPairs)
        rows.removeLast(omitted)
        rows.sort { (mean($0.values) ?? 0) > (mean($1.values) ?? 0) }
        return Pairs(steps: parts.map { "\($0.last?.step ?? 0)" }, rows: rows, omitted: omitted)
    }

    private func overTime(_ run: ReportedRun, _ pairs: Pairs, _ reach: Double) -> Figure {
        let (names, values) = (pairs.rows.map(\.name), pairs.rows.map(\.values))
        let map = HeatMap(
            rows: names, columns: pairs.steps, values: values, colours: .diverging(centre: 0, reach: reach),
            unit: "cosine", horizontal: "step")
        let rest = pairs.omitted > 0 ? " \(pairs.omitted) pairs with smaller cosines are left out." : ""
        return Figure(
            run.name.id("cosines-over-time"), title: "Gradient cosines over time\(run.name.suffix)",
            reading: "A row for each pair of tasks, those that help each other most first.\(rest)", map.drawing,
            table: Self.table(names, pairs.steps, values))
    }

    private func norms(_ run: ReportedRun, bounds: [Double], last: Double) -> Figure? {
        let records = run.history.interference
        guard let tasks = records.last?.tasks else { return nil }
        let series = tasks.enumerated().compactMap { index, task -> LineChart.Series? in
            let points = records.compactMap { record -> (x: Double, y: Double)? in
                guard record.norms.indices.contains(index), let norm = record.norms[index] else { return nil }
                return (Double(record.step), norm)
            }
            return points.isEmpty ? nil : LineChart.Series(task, points, index: index)
        }
        guard !series.isEmpty else { return nil }
        let chart = LineChart(
            series, horizontal: "step", vertical: "norm per label token", kind: .logarithmic, bounds: bounds,
            horizontalBounds: [0, last])
        return Figure(
            run.name.id("norms"), title: "Gradient norms\(run.name.suffix)",
            reading: "A task far above the others decides where the shared weights go.", chart.drawing,
            table: CurveSection.table(series))
    }

    /// The conflict rate and the effective step of all runs.
    private func summaries(_ measured: [ReportedRun]) -> [Figure] {
        let kinds: [(String, String, String, (InterferenceRecord) -> Double?)] = [
            (
                "conflict-rate", "Conflict rate",
                "The share of pairs of tasks whose gradients point against each other.",
                { $0.conflictRate }
            ),
            (
                "effective-step", "Effective step",
                "1: all tasks pull the same way; 0: their gradients cancel out.", { $0.effectiveStep }
            ),
        ]
        return kinds.compactMap { name, title, reading, value in
            let series = runs.enumerated().compactMap { index, run -> LineChart.Series? in
                let points = run.history.interference.compactMap { record in
                    value(record).map { (x: Double(record.step), y: $0) }
                }
                return points.isEmpty ? nil : LineChart.Series(run.name.text, points, index: index)
            }
            guard !series.isEmpty else { return nil }
            let chart = LineChart(
                series, horizontal: "step", vertical: title.lowercased(), bounds: [0, 1],
                horizontalBounds: [0])
            return Figure(name, title: title, reading: reading, chart.drawing, table: CurveSection.table(series))
        }
    }
}
