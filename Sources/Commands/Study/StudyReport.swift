import Reports
import Runs
import Studies

/// The page of a study, with what its runs have logged.
enum StudyReport {
    /// The name of the page in the study's directory.
    static let name = "report.html"

    /// The page and its figures, of a table and the run directories behind it.
    static func page(_ study: Study, _ table: StudyTable, in directory: StudyDirectory) -> PageFiles {
        let histories = study.lines.enumerated().map { index, line in
            // The curves of one task say nothing about the others.
            line.isPerTask ? [] : study.runs.filter { $0.line == index }.map { RunHistory(directory.run($0)) }
        }
        return PageFiles(StudyPage(table, histories: histories).page(version: ProgramVersion.current), name: name)
    }
}
