/// The version of this program, as `--version` prints it and every run records it.
public enum ProgramVersion {
    /// Semantic version.
    public static let current = "0.1.0"
}
