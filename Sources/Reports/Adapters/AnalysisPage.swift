package import Analysis
import Foundation
package import Pages
package import Runs

/// The page of an analysis: what runs learned, and what their adapters became.
package enum AnalysisPage {
    /// Creates the page; `histories` are those of the analysed runs, in their order.
    package static func page(_ report: AnalysisReport, _ histories: [RunHistory]) -> Page {
        let names = ReportedRun.names(report.runs.map(\.source.name))
        let runs = zip(report.runs, zip(names, histories)).map { run, rest in
            ReportedRun(name: rest.0, tasks: run.source.tasks, history: rest.1)
        }
        let analyses = Array(zip(names, report.runs)).map { (name: $0, analysis: $1) }
        let sections = [
            overview(analyses), FigureSection(runs).section, CurveSection(runs).section,
            InterferenceSection(runs).section, SpectrumSection(analyses).section,
            SimilaritySection(analyses, report.comparisons).section, ScaleSection(analyses).section,
        ]
        return Page(
            title: runs.count == 1 ? "Analysis of \(names[0])" : "Analysis of \(runs.count) runs",
            introduction: [
                "What the runs learned, and what became of their adapters. All numbers are in analysis.json and in the "
                    + "CSV files beside this page."
            ], sections: sections, footer: "Made by unolora-dist \(report.version) (\(report.commit)).")
    }

    private static func overview(_ runs: [(name: String, analysis: RunAnalysis)]) -> Page.Section {
        let notes = runs.flatMap { run in
            run.analysis.source.notes.map { runs.count > 1 ? "\(run.name): \($0)" : "Note: \($0)" }
        }
        return Page.Section(
            "Runs", text: notes,
            table: DataTable(
                ["run", "method", "rank", "seed", "step", "tasks", "start"],
                runs.map { name, run in
                    let ranks = run.source.ranks.map { Set($0).count == 1 ? "\($0[0])" : "\($0[0]) x \($0[1])" }
                    return [
                        name, run.source.method, ranks ?? "\u{2013}", "\(run.source.seed)", "\(run.source.step)",
                        run.source.tasks.joined(separator: ", "), run.source.start?.rawValue ?? "unknown",
                    ]
                }))
    }
}
