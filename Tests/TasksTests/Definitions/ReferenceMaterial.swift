import Foundation

/// Reference material beside the project, named by the environment variable `UNOLORA_REFERENCE`; most machines have none.
enum ReferenceMaterial {
    static let directory = ProcessInfo.processInfo.environment["UNOLORA_REFERENCE"]

    /// The path of a part of the material; tests that use it run only where `directory` is set.
    static func path(_ name: String) -> String { (directory ?? "") + "/" + name }
}
