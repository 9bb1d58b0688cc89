import Foundation

/// Reference material outside the project, in the directory that the environment variable `UNOLORA_REFERENCE` names; most
/// machines have none.
public enum ReferenceMaterial {
    /// The directory; tests that need it run only if it is set.
    public static let directory = ProcessInfo.processInfo.environment["UNOLORA_REFERENCE"].flatMap {
        $0.isEmpty ? nil : $0
    }

    /// The path of a part of the material.
    public static func path(_ name: String) -> String { (directory ?? "") + "/" + name }
}
