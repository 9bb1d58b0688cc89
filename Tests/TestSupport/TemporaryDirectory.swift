import Foundation
import Synchronization

/// A new directory that is removed when the value goes away or when the process exits; values in static properties never go
/// away.
public final class TemporaryDirectory: Sendable {
    /// Absolute path.
    public let path: String

    /// Creates the directory under the system's temporary directory.
    public init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("unolora-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
        Self.existing.withLock { _ = $0.insert(url.path) }
    }

    deinit {
        Self.existing.withLock { _ = $0.remove(path) }
        try? FileManager.default.removeItem(atPath: path)
    }

    private static let existing: Mutex<Set<String>> = {
        atexit { TemporaryDirectory.removeAll() }
        return Mutex([])
    }()

    private static func removeAll() {
        for path in existing.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
    }

    /// The path of a file inside.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a text file and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        let path = file(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }
}
