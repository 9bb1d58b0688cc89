import Failures
import Foundation
import Logging
import Synchronization

/// Writes a rank's log messages into its own file, `logs/rank-00003.log`.
struct RankLogHandler: LogHandler {
    private final class Output: Sendable {
        private let handle: Mutex<FileHandle>

        init(_ handle: sending FileHandle) {
            self.handle = Mutex(handle)
        }

        /// A log that cannot be written must not end the run; the run's own files say when the disk is full.
        func write(_ line: String) {
            handle.withLock { try? $0.write(contentsOf: Data(line.utf8)) }
        }
    }

    private let output: Output
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    /// Opens the file to append.
    init(path: String) throws(Failure) {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw Failure(.cannotWrite, "the log \(path) cannot be opened; check permissions and space")
        }
        _ = try? handle.seekToEnd()
        output = Output(handle)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let time = Date().formatted(.iso8601)
        output.write("\(time) \(event.level.rawValue) \(event.message)\n")
    }
}
