import Analysis
import Failures
import Foundation
import Reports
import Tensors

/// The directory of an analysis: it appears as a whole, and takes the place of an earlier one.
struct AnalysisDirectory {
    private let path: String

    private static let main = "analysis.json"
    /// The page for people.
    static let page = "report.html"

    /// Describes the directory; a link to one stays a link. Refuses, before anything is computed, one in which something else is.
    init(_ path: String) throws(Failure) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
        try checkContent()
    }

    /// Refuses a file, and a directory with other content than an earlier analysis.
    private func checkContent() throws(Failure) {
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
        guard let content = try? BoundedJSON.content(of: path + "/" + Self.main),
            let mark = try? BoundedJSON.decode(Mark.self, from: content), mark.kind == AnalysisReport.kind
        else { throw refusal("holds something else than an analysis, such as \((names.min() ?? "").shown)") }
        let figures = (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + PageFiles.figures)) ?? []
        let all =
            names.filter { $0 != PageFiles.figures || figures.isEmpty } + figures.map { "\(PageFiles.figures)/\($0)" }
        if let other = all.sorted().first(where: { !mark.files.contains($0) }) {
            throw refusal("holds \(other.shown), which is no part of the analysis there and would be lost")
        }
    }

    /// Writes all files of an analysis into a new directory and puts it into place. When something fails, what was there before
    /// stays.
    func write(_ report: AnalysisReport, _ page: PageFiles) throws(Failure) {
        let (parent, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
        // What an analysis that was killed has left.
        TemporaryFile.removeStaleDirectories(in: parent, of: name)
        let temporary = TemporaryFile.path(beside: path)
        guard makeDirectories(parent), makeDirectories(temporary) else {
            throw writeFailure("create", temporary)
        }
        do throws(Failure) {
            let json = try StableJSON.line(report, "the analysis")
            try write([UInt8](json) + [UInt8(ascii: "\n")], to: temporary + "/" + Self.main)
            for table in AnalysisTables(report).tables {
                try write(Array(table.text.utf8), to: temporary + "/" + table.name)
            }
            guard page.files.count < 2 || makeDirectories(temporary + "/" + PageFiles.figures) else {
                throw writeFailure("create", temporary + "/" + PageFiles.figures)
            }
            for file in page.files { try write(Array(file.content.utf8), to: temporary + "/" + file.name) }
            if page.files.count > 1 { try DurableFile.synchronize(directory: temporary + "/" + PageFiles.figures) }
            try DurableFile.synchronize(directory: temporary)
            try checkContent()
            try show(temporary)
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
    }

    private func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let file = try DurableFile(creating: path, exclusively: true)
        try file.write(bytes)
        _ = try file.finish()
    }

    /// Gives the new directory its name. Few file systems can exchange two directories, so an earlier analysis is renamed first, and
    /// renamed back when that fails.
    private func show(_ temporary: String) throws(Failure) {
        // This also takes the place of an empty directory.
        if unsafe rename(temporary, path) == 0 { return try synchronize() }
        guard errno == ENOTEMPTY || errno == EEXIST else { throw writeFailure("rename \(temporary.shown) to", path) }
        let previous = temporary + ".previous"
        guard unsafe rename(path, previous) == 0 else { throw writeFailure("rename", path) }
        guard unsafe rename(temporary, path) == 0 else {
            let failure = writeFailure("rename \(temporary.shown) to", path)
            _ = unsafe rename(previous, path)
            throw failure
        }
        try? FileManager.default.removeItem(atPath: previous)
        try synchronize()
    }

    private func synchronize() throws(Failure) {
        try DurableFile.synchronize(directory: (path as NSString).deletingLastPathComponent)
    }
}
