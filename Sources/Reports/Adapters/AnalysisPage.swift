package import Analysis
import Foundation
package import Pages
import Runs

/// The page of an analysis: what runs learned, and what their adapters became.
package enum AnalysisPage {
    /// Creates the page; `runs` are the analysed ones, in their order.
    package static func page(_ report: AnalysisReport, _ runs: [ReportedRun]) -> Page {
        let adapters = zip(runs, report.runs).map { ReportedAdapter(name: $0.name, analysis: $1) }
        let sections = [
            overview(runs, adapters), FigureSection(runs).section, CurveSection(runs).section,
            InterferenceSection(runs).section, SpectrumSection(adapters).section,
            SimilaritySection(adapters, report.comparisons).section, ScaleSection(adapters).section,
        ]
        return Page(
            title: runs.count == 1 ? "Analysis of \(runs[0].name.text)" : "Analysis of \(runs.count) runs",
            introduction: [
                "What the runs learned, and what became of their adapters. The files beside this page have all numbers of the adapters; "
                    + "figures and curves are those of each run's directory."
            ], sections: sections, footer: "Made by unolora-dist \(report.version) (\(report.commit)).")
    }

    private static func overview(_ runs: [ReportedRun], _ adapters: [ReportedAdapter]) -> Page.Section {
        let notes = adapters.flatMap { run in
            run.analysis.source.notes.map { adapters.count > 1 ? "\(run.name.text): \($0)" : "Note: \($0)" }
        }
        return Page.Section(
            "Runs", text: notes,
            table: DataTable(
                ["run", "state", "method", "rank", "seed", "checkpoint", "tasks", "start"],
                zip(runs, adapters).map { run, adapter in
                    let source = adapter.analysis.source
                    let ranks = source.ranks.map { Set($0).count == 1 ? "\($0[0])" : "\($0[0]) x \($0[1])" }
                    return [
                        run.name.short, state(run.history), source.method, ranks ?? "\u{2013}", "\(source.seed)",
                        "step \(source.step)", source.tasks.joined(separator: ", "),
                        source.start?.rawValue ?? "unknown",
                    ]
                }))
    }

    /// What became of a run, and how far it came.
    private static func state(_ history: RunHistory) -> String {
        let step = history.training.last.map { " at step \($0.step)" } ?? ""
        return switch history.condition {
        case .finished: "finished"
        case .unknown: "unknown"
        case .failed(let reason): "failed\(step): \(reason)"
        case .running, .stopped, .killed: (history.condition.word ?? "") + step
        }
    }
}
