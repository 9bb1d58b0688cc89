package import Foundation
import Synchronization

/// Names files that are being written, and removes those whose writer was killed.
package enum TemporaryFile {
    private static let count = Atomic<Int>(0)
    private static let host = ProcessInfo.processInfo.hostName

    /// A hidden name beside `path` that no other process or thread uses: `.<name>.<host>-<process>-<number>.tmp`.
    package static func path(beside path: String) -> String {
        let (directory, name) = DurableFile.split(path)
        let number = count.wrappingAdd(1, ordering: .relaxed).newValue
        return "\(directory)/.\(name).\(host)-\(getpid())-\(number).tmp"
    }

    /// Removes the temporary files that killed writers left in a directory for files whose names begin with `prefix`. Files
    /// that cannot be removed stay.
    ///
    /// Another writer, perhaps on another host, may be at work. So this removes only files of a process of this host that has
    /// ended, and files that nobody has written to for a day.
    package static func removeStale(in directory: String, prefix: String, now: Date = Date()) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasSuffix(".tmp") && (name.hasPrefix(prefix) || name.hasPrefix("." + prefix)) {
            let path = "\(directory)/\(name)"
            var status = stat()
            guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            let age = now.timeIntervalSince1970 - Double(status.st_mtim.tv_sec)
            // Containers may share a host's name and not see each other's processes, but an active writer writes often.
            if age > 86_400 || (isOfDeadProcess(name) && age > 60) { unsafe unlink(path) }
        }
    }

    /// The temporary directories that killed writers of this host left in a directory for one of this name; `ending` is what stands
    /// behind the names that `path(beside:)` gives. A writer may be busy for hours with other things than its directory, so the time
    /// of the last change says nothing here.
    package static func staleDirectories(in directory: String, of name: String, ending: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted().filter { entry in
            guard entry.hasPrefix(".\(name).\(host)-"), entry.hasSuffix(".tmp" + ending),
                isOfDeadProcess(String(entry.dropLast(ending.count)))
            else { return false }
            var status = stat()
            return unsafe lstat("\(directory)/\(entry)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }.map { "\(directory)/\($0)" }
    }

    private static func isOfDeadProcess(_ name: String) -> Bool {
        let parts = name.dropLast(4).split(separator: "-")
        guard parts.count >= 3, let process = pid_t(parts[parts.count - 2]), process > 0,
            name.contains(".\(host)-\(process)-")
        else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
    }
}
