public import Backbone

/// Where the values of a method come from: this decides what a refusal says and how much is refused.
public enum MethodSource: Sendable {
    /// The configuration of a run on a model directory; `file` names it.
    case run(model: String, file: String)
    /// The same for a run that begins now: it is refused values with which an old run may go on.
    case newRun(model: String, file: String)
    /// An adapter's `unolora_config.json`.
    case file(path: String)

    /// The file, for messages.
    var path: String {
        switch self {
        case .run(_, let file), .newRun(_, let file): file
        case .file(let path): path
        }
    }
}

/// A method that was made from a configuration.
public struct MadeMethod: Sendable {
    /// The method on its backbone.
    public let method: any Method
    /// The configuration it was made from, in the form that an adapter's file has; without the tasks' names and the vocabulary.
    public let configuration: AdapterConfiguration
    /// What reduces the number of trainables, worded as the end of a refusal.
    public let remedy: String

    /// Creates the value.
    public init(method: any Method, configuration: AdapterConfiguration, remedy: String) {
        self.method = method
        self.configuration = configuration
        self.remedy = remedy
    }
}
