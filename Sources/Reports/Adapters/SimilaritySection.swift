package import Analysis
package import Pages

/// Which sites, tasks and runs are alike: principal components and overlaps of subspaces.
package struct SimilaritySection {
    private let runs: [ReportedAdapter]
    private let comparisons: [RunComparison]

    /// Of some adapters, and of their comparisons.
    package init(_ runs: [ReportedAdapter], _ comparisons: [RunComparison]) {
        self.runs = runs
        self.comparisons = comparisons
    }

    /// The part of the page.
    package var section: Page.Section {
        Page.Section("Likeness", figures: components + betweenTasks + betweenRuns)
    }

    /// The sites of the most frequent shape in the plane of their first two principal components.
    private var components: [Figure] {
        runs.compactMap { adapter in
            let (name, run) = (adapter.name, adapter.analysis)
            let all = run.measures.components
            let ranked: [(MatrixRole, AdapterState)] = [
                (.update, .trained), (.weight, .minusStart), (.up, .trained), (.b, .trained),
            ]
            let chosen = ranked.lazy.compactMap { role, state in
                all.filter { $0.matrix == role && $0.state == state }.max { $0.points.count < $1.points.count }
            }.first
            guard let chosen, chosen.points.count > 2 else { return nil }
            let kinds = chosen.points.reduce(into: [String]()) { kinds, point in
                if !kinds.contains(point.site.kind) { kinds.append(point.site.kind) }
            }
            let points = chosen.points.map { point in
                ScatterChart.Point(
                    point.site.name, point.coordinates[0], point.coordinates[1],
                    group: kinds.firstIndex(of: point.site.kind) ?? 0)
            }
            func axis(_ number: Int) -> String {
                let share = NumberText.fixed(100 * chosen.explained[number], 0)
                return "\(["first", "second"][number]) component (\(share) % of the variance)"
            }
            let what = chosen.features == .spectrum ? "singular values" : "matrices"
            return Figure(
                name.id("components"),
                title: "Sites, two principal components\(name.suffix)\(chosen.task.map { ", task \($0)" } ?? "")",
                reading:
                    "A point is a site; sites with similar \(what) (\(chosen.matrix.rawValue)) are close together.",
                ScatterChart(points, groups: kinds, horizontal: axis(0), vertical: axis(1)).drawing,
                table: DataTable(
                    ["site", "kind", "first", "second"],
                    chosen.points.map {
                        [
                            $0.site.name, $0.site.kind, NumberText.short($0.coordinates[0], digits: 5),
                            NumberText.short($0.coordinates[1], digits: 5),
                        ]
                    }))
        }
    }

    private static func mean(_ table: OverlapTable, kind: String? = nil) -> Double? {
        let values = table.sites.filter { kind == nil || $0.site.kind == kind }.compactMap(\.overlap.overlap)
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    /// The mean overlap of the tasks' own matrices.
    private var betweenTasks: [Figure] {
        runs.flatMap { adapter in
            let (name, run) = (adapter.name, adapter.analysis)
            return [OverlapTable.Space.rows, .columns].compactMap { space -> Figure? in
                let tables = run.overlaps.filter { $0.space == space && $0.state == .trained }
                guard let matrix = tables.first?.matrix else { return nil }
                let tasks = run.source.tasks
                let values = tasks.map { first in
                    tasks.map { second -> Double? in
                        guard first != second else { return 1 }
                        let table = tables.first {
                            [$0.first.task, $0.second.task] == [first, second]
                                || [$0.first.task, $0.second.task] == [second, first]
                        }
                        return table.flatMap { Self.mean($0) }
                    }
                }
                let map = HeatMap(
                    rows: tasks, columns: tasks, values: values, colours: .sequential(0, 1), unit: "overlap")
                return Figure(
                    name.id("task-overlap-\(matrix.rawValue.lowercased())"),
                    title: "Overlap of the tasks' \(matrix.rawValue)\(name.suffix)",
                    reading:
                        "1: two tasks' matrices \(space == .rows ? "read" : "write") the same directions; 0: other ones.",
                    map.drawing, table: InterferenceSection.table(tasks, tasks, values))
            }
        }
    }

    /// The mean overlap of each pair of runs by kind of site, with what chance alone would give.
    private var betweenRuns: [Figure] {
        let compared = comparisons.filter { !$0.overlaps.isEmpty }
        return [OverlapTable.Space.rows, .columns].compactMap { space -> Figure? in
            var groups: [(name: String?, rows: [IntervalChart.Row])] = []
            var matrix: MatrixRole?
            var lines: [[String]] = []
            for comparison in compared {
                // Where tasks have matrices of their own, all pairs of tasks that were compared count alike.
                let tables = comparison.overlaps.filter { $0.space == space && $0.state == .trained }
                guard let first = tables.first, tables.allSatisfy({ $0.matrix == first.matrix }) else { continue }
                guard matrix == nil || matrix == first.matrix else { continue }
                matrix = first.matrix
                let sites = tables.flatMap(\.sites)
                let kinds = sites.reduce(into: [String]()) { kinds, entry in
                    if !kinds.contains(entry.site.kind) { kinds.append(entry.site.kind) }
                }
                let chance = sites.map(\.overlap.chance).reduce(0, +) / Double(max(sites.count, 1))
                let pair = "\(label(comparison.first)) \u{2013} \(label(comparison.second))"
                let values = kinds.map { kind -> (String, Double?) in
                    let known = tables.compactMap { Self.mean($0, kind: kind) }
                    return (kind, known.isEmpty ? nil : known.reduce(0, +) / Double(known.count))
                }
                groups.append(
                    (
                        pair,
                        values.enumerated().map { IntervalChart.Row($1.0, $1.1, index: $0) }
                            + [IntervalChart.Row("by chance", chance, index: 6)]
                    ))
                lines += values.map { ["\(pair), \($0.0)", NumberText.fixed($0.1, 3), NumberText.fixed(chance, 3)] }
            }
            guard !groups.isEmpty, let matrix else { return nil }
            let chart = IntervalChart(groups, name: "mean overlap over the blocks", bounds: [0, 1], decimals: 2)
            return Figure(
                "run-overlap-\(matrix.rawValue.lowercased())", title: "Overlap of \(matrix.rawValue) between runs",
                reading: "1: both runs \(space == .rows ? "read" : "write") the same directions; "
                    + (space == .rows ? "runs of one seed begin with equal A." : "B begins at 0."),
                chart.drawing, table: DataTable(["pair and kind", "overlap", "by chance"], lines))
        }
    }

    private func label(_ path: String) -> String {
        runs.first { $0.analysis.source.name == path }?.name.text ?? path
    }
}
