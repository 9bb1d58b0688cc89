import Reports
import Runs
import Studies

/// The page of a study, with what its runs have logged.
enum StudyReport {
    /// The name of the page in the study's directory.
    static let name = "report.html"

    /// The page and its figures, of a table, the run directories behind it, and their adapters; `elsewhere` has the names of runs
    /// that other jobs hold.
    static func page(
        _ study: Study, _ table: StudyTable, _ adapters: [StudyAdapter], elsewhere: Set<String>,
        in directory: StudyDirectory
    ) -> PageFiles {
        func history(_ run: StudyRun) -> RunHistory {
            let files = directory.run(run)
            return RunHistory(files, RunCondition(.read(files), isHeld: elsewhere.contains(run.name)))
        }
        let histories = study.lines.enumerated().map { index, line in
            // The curves of one task say nothing about the others.
            line.isPerTask ? [] : study.runs.filter { $0.line == index }.map(history)
        }
        let page = StudyPage(table, histories: histories, adapters: adapters)
        return PageFiles(page.page(version: ProgramVersion.current), name: name)
    }
}
