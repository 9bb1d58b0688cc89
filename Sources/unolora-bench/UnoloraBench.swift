import ArgumentParser
import Commands
import Failures
import Foundation
import Runs

/// Measures parts of the trainer; each command prints one JSON object.
@main
struct UnoloraBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unolora-bench", abstract: "Measures the trainer's parts; prints one JSON object.",
        discussion: """
            What was repeated is given as minimum, median and maximum. Nothing else should run on the machine.

            Exit codes: \(ExitCode.list(without: [.difference, .preempted])).
            """,
        version: ProgramVersion.current,
        subcommands: [
            StepCommand.self, KernelsCommand.self, ReduceCommand.self, GenerateCommand.self, StartupCommand.self,
            TokeniseCommand.self, ScaleCommand.self,
        ])

    /// What all ranks must have been given alike.
    static var commandLine: String { CommandLine.arguments.dropFirst().joined(separator: " ") }

    static func main() {
        Job.prepareProcess()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            exit(withError: error)
        }
    }
}

/// Prints a report with sorted keys.
func printJSON(_ report: some Encodable) throws(Failure) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(report) else {
        throw Failure(.internal, "a report has a number that JSON does not have; report this")
    }
    try Terminal.print(String(decoding: data, as: UTF8.self))
}
