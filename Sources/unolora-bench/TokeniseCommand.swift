import ArgumentParser
import Benchmarks
import Commands
import Configuration
import Failures

struct TokeniseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenise", abstract: "From the text files of a configuration's tasks to the token cache.")

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Threads that read and tokenise.")
    var threads = 1

    @Option(help: "Measured repetitions, after one that is not measured.")
    var repeats = 3

    func validate() throws {
        try require("--threads", threads, atMost: Limits.threads)
        guard repeats >= 1 else { throw ValidationError("--repeats must be at least 1") }
    }

    func run() {
        Job.alone("tokenise") { () throws(Failure) in
            try printJSON(TokeniseBenchmark(options.load(), threads: threads, repeats: repeats)())
            return 0
        }
    }
}
