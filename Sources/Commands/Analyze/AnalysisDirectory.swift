import Analysis
import Failures
import Foundation
import Reports
import Runs
import Tensors

/// The directory of an analysis, which may take the place of an earlier one.
struct AnalysisDirectory {
    private let path: String

    private static let main = "analysis.json"
    /// The page for people.
    static let page = "report.html"

    /// Describes the directory; a link to one stays a link. Refuses, before anything is computed, one in which something else is.
    init(_ path: String) throws(Failure) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
        try Self.checkContent(self.path)
    }

    /// Refuses a file, and a directory with other content than an earlier analysis.
    private static func checkContent(_ path: String) throws(Failure) {
        var isDirectory: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return }
        func refusal(_ what: String) -> Failure {
            Failure(.cannotWrite, "\(path) \(what); choose another --out")
        }
        guard isDirectory.boolValue else { throw refusal("is not a directory") }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw refusal("cannot be read")
        }
        guard !names.isEmpty else { return }
        struct Mark: Decodable {
            var kind: String
            var files: [String]
        }
        guard let content = try? BoundedJSON.content(of: path + "/" + main),
            let mark = try? BoundedJSON.decode(Mark.self, from: content), mark.kind == AnalysisReport.kind
        else { throw refusal("holds something else than an analysis, such as \((names.min() ?? "").shown)") }
        let figures = (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + PageFiles.figures)) ?? []
        let all =
            names.filter { $0 != PageFiles.figures || figures.isEmpty } + figures.map { "\(PageFiles.figures)/\($0)" }
        if let other = all.sorted().first(where: { !mark.files.contains($0) }) {
            throw refusal("holds \(other.shown), which is no part of the analysis there and would be lost")
        }
    }

    /// Writes all files of an analysis. When something fails, what was there before stays.
    func write(_ report: AnalysisReport, _ page: PageFiles) throws(Failure) {
        let path = path
        let directory = try AtomicDirectory(
            path, .replaced { () throws(Failure) in try Self.checkContent(path) })
        do throws(Failure) {
            let json = try StableJSON.line(report, "the analysis")
            try directory.write(String(decoding: json, as: UTF8.self) + "\n", to: Self.main)
            for table in AnalysisTables(report).tables { try directory.write(table.text, to: table.name) }
            if page.files.count > 1 { _ = try directory.make(PageFiles.figures) }
            for file in page.files { try directory.write(file.content, to: file.name) }
            try directory.finish()
        } catch {
            directory.abandon()
            throw error
        }
    }
}
