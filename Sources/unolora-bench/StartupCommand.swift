import ArgumentParser
import Benchmarks
import Commands
import Failures

struct StartupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "startup",
        abstract: "From the start of unolora-dist train to its first step, caches warm.",
        discussion: """
            Runs the unolora-dist that stands beside this program, once more than it measures, in a temporary directory. \
            Each start makes one step.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "Measured starts, after one that is not measured.")
    var repeats = 3

    func validate() throws {
        guard repeats >= 1 else { throw ValidationError("--repeats must be at least 1") }
    }

    func run() {
        Job.alone("startup") { () throws(Failure) in
            try printJSON(
                StartupBenchmark(file: options.config, overrides: options.overrides.values, repeats: repeats)())
            return 0
        }
    }
}
