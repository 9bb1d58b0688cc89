import Reports
import Runs
import Studies

/// The page of a study, with what its runs have logged.
enum StudyReport {
    /// The name of the page in the study's directory.
    static let name = "report.html"

    /// The page and its figures, of a table, the run directories behind it, and their adapters.
    static func page(
        _ study: Study, _ table: StudyTable, _ adapters: [StudyAdapter], in directory: StudyDirectory
    ) -> PageFiles {
        let histories = study.lines.enumerated().map { index, line in
            // The curves of one task say nothing about the others.
            line.isPerTask ? [] : study.runs.filter { $0.line == index }.map { RunHistory(directory.run($0)) }
        }
        let page = StudyPage(table, histories: histories, adapters: adapters)
        return PageFiles(page.page(version: ProgramVersion.current), name: name)
    }
}
