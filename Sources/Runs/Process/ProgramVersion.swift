import Foundation

/// The version of this program, as `--version` prints it and every run records it.
public enum ProgramVersion {
    /// Semantic version.
    public static let current = "0.1.0"

    /// The commit that this program was built from, as `SourceCommit` finds it; nil when it cannot be told.
    public static let commit: String? =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        .flatMap(SourceCommit.ofExecutable(at:))
}
