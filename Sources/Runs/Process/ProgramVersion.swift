import Foundation

/// The version of this program, as `--version` prints it and every run records it.
public enum ProgramVersion {
    /// Semantic version.
    public static let current = "0.1.0"

    /// The commit from which this program was built, as found by `SourceCommit`; nil when it cannot be found out.
    public static let commit: String? =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        .flatMap(SourceCommit.ofExecutable(at:))
}
