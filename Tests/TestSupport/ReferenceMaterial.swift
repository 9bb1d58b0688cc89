import Foundation

/// Reference material beside the project, named by the environment variable `UNOLORA_REFERENCE`; most machines have none.
public enum ReferenceMaterial {
    /// Its directory; tests that need it run only where this is set.
    public static let directory = ProcessInfo.processInfo.environment["UNOLORA_REFERENCE"].flatMap {
        $0.isEmpty ? nil : $0
    }

    /// The path of a part of the material.
    public static func path(_ name: String) -> String { (directory ?? "") + "/" + name }
}
