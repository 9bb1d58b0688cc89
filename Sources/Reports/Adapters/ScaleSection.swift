import Analysis
package import Pages

/// The scales with which `unolora_star` modulates its adapter, task by task.
package struct ScaleSection {
    private let runs: [ReportedAdapter]

    /// Of some adapters; those without scales are left out.
    package init(_ runs: [ReportedAdapter]) { self.runs = runs }

    /// The part of the page; it has no figure if no run has scales.
    package var section: Page.Section {
        let scaled = runs.compactMap { run in run.analysis.scales.map { (run.name, $0) } }
        guard !scaled.isEmpty else { return Page.Section("Scales of the tasks") }
        let largest = scaled.flatMap { $0.1.distances.euclidean.joined() }.max() ?? 1
        let reach = Self.reach(scaled.flatMap { $0.1.tasks.flatMap { $0.sites.map(Self.mean) } })
        return Page.Section(
            "Scales of the tasks",
            text: [
                "The hypernetwork multiplies the low-rank dimensions of a site by scales, which begin near 1. What differs between "
                    + "tasks is what each task has of its own."
            ],
            // Maps of one kind stand side by side.
            figures: scaled.compactMap { map($0.0, $0.1, reach) }
                + scaled.compactMap { distances($0.0, $0.1, largest) }
                + scaled.compactMap { tree($0.0, $0.1, largest) })
    }

    private static func mean(_ site: ScaleAnalysis.Site) -> Double {
        site.mean.reduce(0, +) / Double(max(site.mean.count, 1))
    }

    /// How far the scales are from 1, rounded up.
    private static func reach(_ values: [Double]) -> Double {
        let largest = values.reduce(0) { max($0, ($1 - 1).magnitude) }
        return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5].first { $0 >= largest } ?? largest
    }

    /// A row for each site, a column for each task.
    private func map(_ name: RunName, _ scales: ScaleAnalysis, _ reach: Double) -> Figure? {
        guard let sites = scales.tasks.first?.sites, !sites.isEmpty else { return nil }
        let tasks = scales.tasks.map(\.task)
        let rows = sites.map { Self.short($0.site.name) }
        let values = sites.indices.map { site in
            scales.tasks.map { $0.sites.indices.contains(site) ? Self.mean($0.sites[site]) : nil }
        }
        let map = HeatMap(
            rows: rows, columns: tasks, values: values, colours: .diverging(centre: 1, reach: reach),
            unit: "mean scale")
        return Figure(
            name.id("scales"), title: "Scales by site and task\(name.suffix)",
            reading:
                "The mean over a site's low-rank dimensions and \(Self.texts(scales)): orange above 1, blue below.",
            map.drawing, table: InterferenceSection.table(rows, tasks, values, digits: 4))
    }

    /// The texts of which the scales are the mean, in words.
    private static func texts(_ scales: ScaleAnalysis) -> String {
        let counts = scales.tasks.compactMap(\.texts)
        guard let least = counts.min(), let most = counts.max() else { return "any text, since none is read" }
        return least == most ? "\(most) training texts of each task" : "\(least) to \(most) training texts of a task"
    }

    /// A site's path without what all paths have in common.
    private static func short(_ name: String) -> String {
        name.replacing("encoder.block.", with: "enc ").replacing("decoder.block.", with: "dec ")
            .replacing(".layer.0.SelfAttention.", with: " self ").replacing(
                ".layer.1.EncDecAttention.", with: " cross "
            )
            .replacing(".layer.1.DenseReluDense.", with: " ff ").replacing(".layer.2.DenseReluDense.", with: " ff ")
    }

    private func distances(_ name: RunName, _ scales: ScaleAnalysis, _ largest: Double) -> Figure? {
        let tasks = scales.distances.tasks
        guard tasks.count > 1 else { return nil }
        let values = scales.distances.euclidean.map { $0.map { Optional($0) } }
        let map = HeatMap(
            rows: tasks, columns: tasks, values: values, colours: .sequential(0, largest > 0 ? largest : 1),
            unit: "distance")
        return Figure(
            name.id("task-distances"), title: "Distances between tasks\(name.suffix)",
            reading: "Euclidean distance of the tasks' mean scales over all sites; light pairs are treated alike.",
            map.drawing, table: InterferenceSection.table(tasks, tasks, values, digits: 4))
    }

    private func tree(_ name: RunName, _ scales: ScaleAnalysis, _ largest: Double) -> Figure? {
        let (distances, dendrogram) = (scales.distances, scales.distances.dendrogram)
        guard distances.tasks.count > 2 else { return nil }
        let merges = dendrogram.merges.map {
            TreeChart.Merge($0.clusters[0], $0.clusters[1], height: $0.height)
        }
        let names = distances.tasks + merges.indices.map { "group \($0 + 1)" }
        return Figure(
            name.id("task-tree"), title: "Families of tasks\(name.suffix)",
            reading: "Tasks that meet further left have more similar scales (average linkage).",
            TreeChart(
                leaves: distances.tasks, order: dendrogram.leafOrder, merges: merges, name: "distance",
                bounds: [largest]
            ).drawing,
            table: DataTable(
                ["group", "first", "second", "distance"],
                merges.enumerated().map { index, merge in
                    [
                        "group \(index + 1)", names[merge.first], names[merge.second],
                        NumberText.short(merge.height, digits: 4),
                    ]
                }))
    }
}
