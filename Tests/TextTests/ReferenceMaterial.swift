import Foundation

/// Reference material beside the project, named by the environment variable `UNOLORA_REFERENCE`; most machines have none.
enum ReferenceMaterial {
    static let directory = ProcessInfo.processInfo.environment["UNOLORA_REFERENCE"]

    /// The path of a file of the material.
    static func file(_ name: String) throws -> String {
        struct Missing: Error {}
        guard let directory else { throw Missing() }
        return directory + "/" + name
    }
}
