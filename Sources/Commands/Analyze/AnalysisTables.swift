import Analysis
import Runs

/// The tables of an analysis in long form, as CSV: a line of column names, then a line for each number or pair. Numbers have as many
/// digits as are needed to read the same number again; an absent value is empty.
struct AnalysisTables {
    /// One file.
    struct Table {
        let name: String
        let columns: [String]
        let rows: [[Cell]]

        /// The file's content.
        var text: String {
            var text = CSV.line(columns)
            for row in rows { text += CSV.line(row.map(\.text)) }
            return text
        }
    }

    /// One value of a row.
    enum Cell {
        case text(String?)
        case whole(Int?)
        case number(Double?)

        fileprivate var text: String {
            switch self {
            case .text(let text): text ?? ""
            case .whole(let number): number.map { "\($0)" } ?? ""
            case .number(let number): number.map { "\($0)" } ?? ""
            }
        }
    }

    /// The names of all files, the JSON first.
    static var names: [String] { ["analysis.json"] + AnalysisTables(runs: [], comparisons: []).tables.map(\.name) }

    let tables: [Table]

    init(_ report: AnalysisReport) { self.init(runs: report.runs, comparisons: report.comparisons) }

    private init(runs: [RunAnalysis], comparisons: [RunComparison]) {
        tables = [
            Self.runs(runs), Self.norms(runs), Self.spectra(runs), Self.correlations(runs), Self.components(runs),
            Self.overlaps(runs, comparisons), Self.angles(runs, comparisons), Self.scales(runs), Self.distances(runs),
            Self.merges(runs),
        ]
    }

    private static func runs(_ runs: [RunAnalysis]) -> Table {
        Table(
            name: "runs.csv",
            columns: [
                "run", "method", "model", "seed", "step", "rank_a", "rank_b", "alpha", "start", "adapter", "backbone",
            ],
            rows: runs.map(\.source).map { run in
                [
                    .text(run.name), .text(run.method), .text(run.model), .text("\(run.seed)"), .whole(run.step),
                    .whole(run.ranks?[0]), .whole(run.ranks?[1]), .number(run.alpha), .text(run.start?.rawValue),
                    .text(run.adapter), .text(run.backbone),
                ]
            })
    }

    private static func key(_ run: RunAnalysis, _ matrix: MatrixAnalysis) -> [Cell] {
        [
            .text(run.source.name), .text(matrix.task), .text(matrix.site.name), .text(matrix.site.kind),
            .text(matrix.matrix.rawValue), .text(matrix.state.rawValue),
        ]
    }

    private static func norms(_ runs: [RunAnalysis]) -> Table {
        Table(
            name: "norms.csv",
            columns: [
                "run", "task", "site", "kind", "matrix", "state", "rows", "columns", "frobenius_norm", "spectral_norm",
                "effective_rank_sum", "effective_rank_entropy",
            ],
            rows: runs.flatMap { run in
                run.measures.matrices.map { matrix in
                    key(run, matrix) + [
                        .whole(matrix.shape[0]), .whole(matrix.shape[1]), .number(matrix.frobeniusNorm),
                        .number(matrix.spectrum?.spectralNorm), .number(matrix.spectrum?.effectiveRankSum),
                        .number(matrix.spectrum?.effectiveRankEntropy),
                    ]
                }
            })
    }

    private static func spectra(_ runs: [RunAnalysis]) -> Table {
        Table(
            name: "spectra.csv",
            columns: ["run", "task", "site", "kind", "matrix", "state", "index", "singular_value"],
            rows: runs.flatMap { run in
                run.measures.matrices.flatMap { matrix in
                    (matrix.spectrum?.singularValues ?? []).enumerated().map { index, value in
                        key(run, matrix) + [.whole(index), .number(value)]
                    }
                }
            })
    }

    private static func correlations(_ runs: [RunAnalysis]) -> Table {
        var rows: [[Cell]] = []
        for run in runs {
            for table in run.measures.correlations {
                for (i, first) in table.sites.enumerated() {
                    for (j, second) in table.sites.enumerated().dropFirst(i + 1) {
                        rows.append([
                            .text(run.source.name), .text(table.task), .text(table.kind), .text(table.matrix.rawValue),
                            .text(table.state.rawValue), .text(first), .text(second), .number(table.values[i][j]),
                        ])
                    }
                }
            }
        }
        return Table(
            name: "correlations.csv",
            columns: ["run", "task", "kind", "matrix", "state", "first_site", "second_site", "correlation"], rows: rows)
    }

    private static func components(_ runs: [RunAnalysis]) -> Table {
        Table(
            name: "pca.csv",
            columns: [
                "run", "task", "features", "matrix", "state", "rows", "columns", "site", "kind", "first", "second",
                "first_explained", "second_explained",
            ],
            rows: runs.flatMap { run in
                run.measures.components.flatMap { table in
                    table.points.map { point in
                        [
                            .text(run.source.name), .text(table.task), .text(table.features.rawValue),
                            .text(table.matrix.rawValue), .text(table.state.rawValue), .whole(table.shape[0]),
                            .whole(table.shape[1]), .text(point.site.name), .text(point.site.kind),
                            .number(point.coordinates[0]), .number(point.coordinates[1]), .number(table.explained[0]),
                            .number(table.explained[1]),
                        ]
                    }
                }
            })
    }

    private static func sides(
        _ runs: [RunAnalysis], _ comparisons: [RunComparison]
    ) -> [(key: [Cell], overlap: SubspaceOverlap)] {
        (runs.flatMap(\.overlaps) + comparisons.flatMap(\.overlaps)).flatMap { table in
            table.sites.map { entry in
                (
                    [
                        .text(table.first.run), .text(table.first.task), .text(table.second.run),
                        .text(table.second.task),
                        .text(entry.site.name), .text(entry.site.kind), .text(table.matrix.rawValue),
                        .text(table.space.rawValue), .text(table.state.rawValue),
                    ], entry.overlap
                )
            }
        }
    }

    private static let sideColumns = [
        "first_run", "first_task", "second_run", "second_task", "site", "kind", "matrix", "space", "state",
    ]

    private static func overlaps(_ runs: [RunAnalysis], _ comparisons: [RunComparison]) -> Table {
        Table(
            name: "overlaps.csv", columns: sideColumns + ["first_dimension", "second_dimension", "overlap", "chance"],
            rows: sides(runs, comparisons).map { key, overlap in
                key + [
                    .whole(overlap.dimensions[0]), .whole(overlap.dimensions[1]), .number(overlap.overlap),
                    .number(overlap.chance),
                ]
            })
    }

    private static func angles(_ runs: [RunAnalysis], _ comparisons: [RunComparison]) -> Table {
        Table(
            name: "angles.csv", columns: sideColumns + ["index", "angle"],
            rows: sides(runs, comparisons).flatMap { key, overlap in
                overlap.angles.enumerated().map { key + [.whole($0), .number($1)] }
            })
    }

    private static func scales(_ runs: [RunAnalysis]) -> Table {
        var rows: [[Cell]] = []
        for run in runs {
            guard let scales = run.scales else { continue }
            for task in scales.tasks {
                for site in task.sites {
                    for index in site.mean.indices {
                        rows.append([
                            .text(run.source.name), .text(task.task), .text(site.site.name), .text(site.site.kind),
                            .whole(index), .number(site.mean[index]), .number(site.deviation[index]),
                            .whole(task.texts),
                        ])
                    }
                }
            }
        }
        return Table(
            name: "scales.csv",
            columns: ["run", "task", "site", "kind", "index", "mean", "deviation", "texts"], rows: rows)
    }

    private static func distances(_ runs: [RunAnalysis]) -> Table {
        var rows: [[Cell]] = []
        for run in runs {
            guard let distances = run.scales?.distances else { continue }
            for (i, first) in distances.tasks.enumerated() {
                for (j, second) in distances.tasks.enumerated().dropFirst(i + 1) {
                    rows.append([
                        .text(run.source.name), .text(first), .text(second), .number(distances.euclidean[i][j]),
                        .number(distances.cosine[i][j]),
                    ])
                }
            }
        }
        return Table(
            name: "task_distances.csv", columns: ["run", "first_task", "second_task", "euclidean", "cosine"], rows: rows
        )
    }

    private static func merges(_ runs: [RunAnalysis]) -> Table {
        var rows: [[Cell]] = []
        for run in runs {
            guard let distances = run.scales?.distances else { continue }
            for (index, merge) in distances.dendrogram.merges.enumerated() {
                rows.append([
                    .text(run.source.name), .whole(distances.tasks.count + index), .whole(merge.clusters[0]),
                    .whole(merge.clusters[1]), .number(merge.height), .whole(merge.size),
                ])
            }
        }
        return Table(
            name: "dendrogram.csv",
            columns: ["run", "cluster", "first_cluster", "second_cluster", "height", "size"], rows: rows)
    }
}
