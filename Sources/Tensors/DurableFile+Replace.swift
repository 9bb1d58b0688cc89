public import Failures
import Glibc

extension DurableFile {
    /// Writes a whole new file; throws `cannotWrite` if something has its name.
    package static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(Failure) {
        let file = try DurableFile(creating: path, exclusively: true)
        try file.write(Array(bytes))
        _ = try file.finish()
    }

    /// Writes a file so that the path holds either the old content or the new one at any moment, even if the power fails.
    ///
    /// The content goes to a `TemporaryFile` beside it, which is synchronised and renamed; then the directory is synchronised.
    /// When `body` or the disk fails, the path is untouched and the temporary file is removed. Temporary files that a killed
    /// process left from an earlier replacement of the same path are removed too.
    @discardableResult
    public static func replace(
        _ path: String, _ body: (DurableFile) throws(Failure) -> Void
    ) throws(Failure) -> Summary {
        let (directory, name) = split(path)
        TemporaryFile.removeStale(in: directory, prefix: name + ".")
        let temporary = TemporaryFile.path(beside: path)
        // Others can guess the name. Whatever they placed there, a pipe for example, is neither written to nor waited for.
        unsafe unlink(temporary)
        do {
            let file = try DurableFile(creating: temporary, exclusively: true)
            try body(file)
            let summary = try file.finish()
            try rename(temporary, to: path)
            return summary
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    /// Moves a file, directory or link over `path` in one step, and makes that durable.
    public static func rename(_ source: String, to path: String) throws(Failure) {
        guard unsafe Glibc.rename(source, path) == 0 else { throw writeFailure("rename \(source.shown) to", path) }
        try synchronize(directory: split(path).directory)
    }

    /// Waits until the names in a directory are on the disk.
    public static func synchronize(directory: String) throws(Failure) {
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw writeFailure("open", directory) }
        defer { close(descriptor) }
        // Some network file systems cannot synchronise directories and say so with EINVAL.
        guard synchronise(descriptor) || errno == EINVAL else { throw writeFailure("synchronise", directory) }
    }

    /// The directory of a path ("." when it names none) and the last component.
    static func split(_ path: String) -> (directory: String, name: String) {
        var end = path.utf8.endIndex
        while end > path.utf8.startIndex, path.utf8[path.utf8.index(before: end)] == UInt8(ascii: "/") {
            end = path.utf8.index(before: end)
        }
        let trimmed = path[..<end]
        // In bytes: a "/" with a combining mark on it is another character to Swift, but a separator to the system.
        guard let slash = trimmed.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", String(trimmed)) }
        let directory = trimmed[..<slash]
        return (directory.isEmpty ? "/" : String(directory), String(trimmed[trimmed.utf8.index(after: slash)...]))
    }
}
