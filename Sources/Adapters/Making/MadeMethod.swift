import Backbone

/// Where the values come from that a method is made of: decides what a refusal says, and how much is refused.
public enum MethodSource: Sendable {
    /// The configuration of a run on a model directory; `file` names it.
    case run(model: String, file: String)
    /// The same of a run that begins now, which is refused what an old one may go on with.
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

/// A method that was made of a configuration.
public struct MadeMethod: Sendable {
    /// The method on its backbone.
    public let method: any Method
    /// What it was made of, in the form in which an adapter's file says it; without tasks' names and vocabulary.
    public let configuration: AdapterConfiguration
    /// What makes its trainables fewer, as the rest of a sentence that begins with "lower".
    public let sizeKeys: String

    /// Describes a method.
    public init(method: any Method, configuration: AdapterConfiguration, sizeKeys: String) {
        self.method = method
        self.configuration = configuration
        self.sizeKeys = sizeKeys
    }
}
