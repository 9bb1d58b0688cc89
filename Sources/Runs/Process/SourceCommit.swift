import Foundation

/// Finds the commit from which a program was built, without git and without a build step.
///
/// A program that `swift build` made is in a directory `.build...` of its checkout, and git logs there when it moved `HEAD` to
/// which commit. The result is the commit that was checked out when the program was linked, even if the checkout has moved on
/// since. Changes that were not committed do not show. Reading `HEAD` itself could give a commit that the program does not
/// have. The package manager could pass a commit to the compiler, but it keeps the first one that it saw. An archive
/// (`launch/dist.sh`) has the commit in a file beside the program's directory.
enum SourceCommit {
    /// The commit as hexadecimal digits; nil for a program elsewhere, or when there is no log for that time.
    static func ofExecutable(at path: String) -> String? {
        if let commit = archived(with: path) { return commit }
        guard let checkout = checkout(of: path), let git = gitDirectory(of: checkout),
            let log = FileManager.default.contents(atPath: git + "/logs/HEAD"),
            let linked = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        else { return nil }
        return String(decoding: log, as: UTF8.self).split(separator: "\n").compactMap(move).last {
            $0.time <= linked.timeIntervalSince1970
        }?.commit
    }

    /// The commit in `commit.txt` of the archive whose `bin` contains the program.
    private static func archived(with path: String) -> String? {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent()
        guard directory.lastPathComponent == "bin",
            let content = FileManager.default.contents(
                atPath: directory.deletingLastPathComponent().path + "/commit.txt")
        else { return nil }
        let commit = String(decoding: content.prefix(65), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return isCommit(commit) ? commit : nil
    }

    /// The directory that contains the innermost `.build...` above a file.
    private static func checkout(of path: String) -> String? {
        var url = URL(fileURLWithPath: path).deletingLastPathComponent()
        while url.path != "/" {
            let parent = url.deletingLastPathComponent()
            if url.lastPathComponent.hasPrefix(".build") { return parent.path }
            url = parent
        }
        return nil
    }

    /// `.git` itself, or the directory that the file `.git` of an additional work tree names.
    private static func gitDirectory(of checkout: String) -> String? {
        let place = checkout + "/.git"
        guard let content = FileManager.default.contents(atPath: place) else {
            return FileManager.default.fileExists(atPath: place) ? place : nil
        }
        let text = String(decoding: content, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.hasPrefix("gitdir: ") else { return nil }
        return URL(fileURLWithPath: String(text.dropFirst(8)), relativeTo: URL(fileURLWithPath: checkout)).path
    }

    /// A line of the log: `<old> <new> <name> <mail> <seconds> <zone>\t<what was done>`.
    private static func move(_ line: Substring) -> (commit: String, time: Double)? {
        let words = line.prefix { $0 != "\t" }.split(separator: " ")
        guard words.count >= 5, isCommit(words[1]),
            let time = Double(words[words.count - 2])
        else { return nil }
        return (String(words[1]), time)
    }

    private static func isCommit(_ text: some StringProtocol) -> Bool {
        [40, 64].contains(text.count) && text.allSatisfy(\.isHexDigit)
    }
}
