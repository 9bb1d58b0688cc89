/// The one error type of the project: an exit code and one sentence that says what is wrong, where, and what to do.
///
/// Every refusal a user can cause is thrown as a `Failure`; the executable prints `message` with the rank and host and
/// ends the job with `code`.
public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The exit code of the process.
    public let code: ExitCode
    /// One sentence: what, where (file, line, key), remedy.
    public let message: String

    /// Creates a failure.
    public init(_ code: ExitCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence for the user.
    public var description: String { message }
}
