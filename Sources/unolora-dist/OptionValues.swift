public import ArgumentParser
import Configuration
import Failures
import Foundation
import Tasks

/// Reads an option that must not be empty.
func filled(_ value: String) throws -> String {
    guard !value.isEmpty else { throw ValidationError("it is empty") }
    return value
}

/// `--set`, for `train` and the commands that read a configuration.
struct Overrides: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a key, e.g. --set lora.rank=4; may be repeated.", valueName: "key=value"),
        transform: { value in
            guard let equals = value.firstIndex(of: "="), equals > value.startIndex else {
                throw ValidationError("it is not of the form key=value")
            }
            return value
        })
    var values: [String] = []
}

/// Options of the commands that read a configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Configuration (YAML).", valueName: "run.yaml"),
        completion: .file(extensions: ["yaml", "yml"]), transform: filled)
    var config: String

    @OptionGroup var overrides: Overrides

    func load() throws(Failure) -> RunConfiguration {
        try RunConfiguration.load(file: config, overrides: overrides.values)
    }
}

/// `--allow-changes`, for the commands that use a checkpoint.
struct Changes: ParsableArguments {
    @Flag(
        name: .customLong("allow-changes"),
        help: ArgumentHelp(
            "Goes on although task files or settings have changed since the training, and lists the changes on standard "
                + "error; the model and its vocabulary must be the same."))
    var areAllowed = false
}

/// `--model`, for the commands on a run.
struct ModelPlace: ParsableArguments {
    @Option(
        name: .customLong("model"),
        help: ArgumentHelp(
            "Where the model of the run lies now, if it is elsewhere than in the training; its digest must be the same.",
            valueName: "directory"), completion: .directory, transform: filled)
    var model: String?
}

/// The values of `evaluate --split`.
enum EvaluatedSplit: String, ExpressibleByArgument, CaseIterable {
    case train
    case validation
    case test
}

/// The values of `predict --on-bad-line`.
enum BadLine: String, ExpressibleByArgument, CaseIterable {
    case answer
    case fail
}

/// Names of tasks, separated by commas.
struct TaskNames: ExpressibleByArgument {
    let names: [String]

    init?(argument: String) {
        names = argument.split(separator: ",", omittingEmptySubsequences: false).map { name in
            name.trimmingCharacters(in: .whitespaces)
        }
        if names.contains(where: \.isEmpty) { return nil }
    }
}

/// The values of `verify --gemm`.
enum ProductChoice: String, ExpressibleByArgument, CaseIterable {
    case auto
    case openblas
    case onednn
    case tiles
}

extension ModelStorage: ExpressibleByArgument {}
extension ModelProducts: ExpressibleByArgument {}
extension FileFormat: ExpressibleByArgument {}

/// The values of `verify --precision`, an option of earlier versions.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
    case float32
    case bfloat16
    case int8
    case int8Forward
    case int8Backward

    /// The options to write instead.
    var options: [String] {
        let isStorage = self == .float32 || self == .bfloat16
        return ["--storage \(isStorage ? rawValue : "float32")", "--products \(isStorage ? "float32" : rawValue)"]
    }
}
