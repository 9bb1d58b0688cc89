import ArgumentParser
import Commands
import Failures
import Runs

struct NewModelArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new-model",
        abstract: "Writes a randomly initialised T5 in Hugging Face layout, for benchmarks and tests.")

    @Option(help: ArgumentHelp("Shape: \(NewModelCommand.presets.joined(separator: ", ")).", valueName: "name"))
    var preset: String

    @Option(
        help: ArgumentHelp("Directory to write; must not hold a model.", valueName: "directory"),
        completion: .directory, transform: filled)
    var out: String

    @Option(
        help: ArgumentHelp("SentencePiece model to copy beside it.", valueName: "spiece.model"),
        completion: .file(extensions: ["model"]), transform: filled)
    var vocabulary: String?

    @Option(help: "Seed of the weights.")
    var seed: UInt64 = 1

    func run() {
        Job.alone("new-model") { () throws(Failure) in
            try Terminal.print(
                NewModelCommand.write(preset: preset, directory: out, vocabulary: vocabulary, seed: seed))
            return 0
        }
    }
}
