import ArgumentParser
import Configuration

/// The first word of a command line. `train` is the default command, so the parser would take any other word as an argument of
/// `train`.
enum CommandNames {
    private static let known = UnoloraDist.configuration.subcommands.compactMap { $0.configuration.commandName }
    /// Commands that are described elsewhere and planned.
    private static let absent = ["analyze"]

    /// Refuses a word that is not a command, also after `help`; nil when the parser can continue.
    static func refusal(of arguments: [String]) -> ValidationError? {
        let word = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
        guard let word, !word.hasPrefix("-"), word != "help", !known.contains(word) else { return nil }
        if absent.contains(word) {
            return ValidationError("\(word) is not in this version; it has \(known.joined(separator: ", "))")
        }
        let hint = UnknownKey.nearest(to: word, among: known + absent) { $0 }.map { "; did you mean \($0)?" }
        return ValidationError(
            "there is no command \(word)\(hint ?? "; the commands are \(known.joined(separator: ", "))")")
    }
}
