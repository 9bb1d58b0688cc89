package import Failures
import Foundation
package import Logging
import Synchronization

/// Writes a rank's log messages to its own file, `logs/rank-00003.log`.
package struct RankLogHandler: LogHandler {
    private final class Output: Sendable {
        private let file: Mutex<GrowingFile>
        private let owner: RunOwner

        init(_ file: sending GrowingFile, _ owner: RunOwner) {
            self.file = Mutex(file)
            self.owner = owner
        }

        /// A log that cannot be written must not end the run; the run's other files report a full disk.
        func write(_ line: String) {
            file.withLock {
                // A rank that has lost the directory reports that elsewhere.
                if case .lost = owner.standing() { return }
                try? $0.append(Array(line.utf8))
            }
        }
    }

    private let output: Output
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level = .info

    /// Opens the file for appending, as long as the job holds the directory.
    package init(path: String, owner: RunOwner = RunOwner()) throws(Failure) {
        output = Output(try GrowingFile(appendingToOrCreating: path), owner)
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let time = Date().formatted(.iso8601)
        output.write("\(time) \(event.level.rawValue) \(event.message)\n")
    }
}
