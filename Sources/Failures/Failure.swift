/// The one error type of the project: an exit code and one sentence that says what is wrong, where, and what to do.
///
/// Everything that a user can cause is refused with a `Failure`. The executable prints `message` with the rank and host, and
/// ends the job with `code`.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The exit code of the process.
    public let code: ExitCode
    /// One sentence that says what is wrong, where (file, line, key), and what to do.
    public let message: String

    /// Creates a failure.
    public init(_ code: ExitCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence for the user.
    public var description: String { message }
}
