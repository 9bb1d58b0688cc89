import Configuration
import Failures
import Testing

/// A file that is complete without the additions of a test: lines 1 and 2 of `run.yaml` in `/runs`.
let complete = "model: t5\ndata: {glue: /glue}\n"

/// Reads `text` as `/runs/run.yaml`, which is `run.yaml` in messages.
func load(_ text: String, set overrides: String...) throws(Failure) -> RunConfiguration {
    try RunConfiguration.load(yaml: text, name: "run.yaml", directory: "/runs", overrides: overrides)
}

/// The message of the refusal of `text`, with the code `badConfiguration` unless another one is given.
func refusal(
    _ text: String, set overrides: [String] = [], code: ExitCode = .badConfiguration,
    location: SourceLocation = #_sourceLocation
) throws -> String {
    let failure = try #require(throws: Failure.self, sourceLocation: location) {
        _ = try RunConfiguration.load(yaml: text, name: "run.yaml", directory: "/runs", overrides: overrides)
    }
    #expect(failure.code == code, sourceLocation: location)
    return failure.message
}
