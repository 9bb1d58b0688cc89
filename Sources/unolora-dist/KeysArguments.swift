import ArgumentParser
import Commands
import Configuration
import Failures
import Runs

struct KeysArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Prints the keys of a configuration: default, allowed values, purpose.",
        discussion: """
            Without an argument all keys. `keys tasks` also describes tasks of your own. The same page is \
            docs/configuration.md.
            """)

    @Argument(
        help: ArgumentHelp(
            "A section (\(KeyListing.sections.joined(separator: ", "))) or a key, such as lora.rank.",
            valueName: "section"),
        completion: .list(KeyListing.sections), transform: filled)
    var section: String?

    func run() {
        Job.alone("keys") { () throws(Failure) in
            try Terminal.print(KeyListing.text(of: section))
            return 0
        }
    }
}
