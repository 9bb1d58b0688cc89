import Failures
import Testing

/// Expects a failure with a code and with all these parts in its message.
func expectFailure<Value>(
    _ code: ExitCode, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
    from body: () throws -> Value
) {
    do {
        _ = try body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let failure as Failure {
        #expect(failure.code == code, "\(failure.message)", sourceLocation: sourceLocation)
        for part in parts {
            #expect(failure.message.contains(part), "\(failure.message)", sourceLocation: sourceLocation)
        }
        #expect(!failure.message.contains("\n"), "one sentence on one line", sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error) is not a Failure", sourceLocation: sourceLocation)
    }
}
