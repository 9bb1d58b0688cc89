import ArgumentParser
import Configuration
import Failures

/// Options of commands that read a run's configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Configuration of a run (YAML).", valueName: "run.yaml"))
    var config: String

    @OptionGroup var overrides: Overrides

    func load() throws(Failure) -> RunConfiguration {
        try RunConfiguration.load(file: config, overrides: overrides.values)
    }
}

/// `--set`, like in `unolora-dist train`.
struct Overrides: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a key, e.g. --set model=models/t5-base; may be repeated.", valueName: "key=value")
    )
    var values: [String] = []
}
