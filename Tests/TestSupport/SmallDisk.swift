import Foundation

/// A file system of limited size in memory, unmounted when the value goes away.
public final class SmallDisk {
    private let root: TemporaryDirectory
    /// The path at which it is mounted.
    public var path: String { root.path }

    /// Mounts the file system; throws when that is not possible.
    public init(kilobytes: Int) throws {
        root = try TemporaryDirectory()
        guard Self.run("mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", root.path) else {
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    deinit {
        _ = Self.run("umount", root.path)
    }

    /// Whether this process may mount, found out by trying.
    public static var isAvailable: Bool {
        guard geteuid() == 0, let root = try? TemporaryDirectory() else { return false }
        guard run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", root.path) else { return false }
        return run("umount", root.path)
    }

    private static func run(_ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
