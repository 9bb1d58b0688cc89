import Backbone
import Failures
import Tensors

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
    /// The keys that decide how many trainables there are, as a part of a sentence.
    public let sizeKeys: String

    /// Describes a method.
    public init(method: any Method, configuration: AdapterConfiguration, sizeKeys: String) {
        self.method = method
        self.configuration = configuration
        self.sizeKeys = sizeKeys
    }
}

/// The methods that there are, by name.
public struct MethodTable: Sendable {
    /// One method.
    public struct Entry: Sendable {
        let name: String
        let make: @Sendable (AdapterConfiguration, any BackboneShape, MethodSource) throws(Failure) -> MadeMethod

        /// A method with its name in `method:`, and how it is made for a backbone.
        public init(
            _ name: String,
            _ make:
                @escaping @Sendable (AdapterConfiguration, any BackboneShape, MethodSource) throws(Failure)
                -> MadeMethod
        ) {
            self.name = name
            self.make = make
        }
    }

    private let entries: [Entry]

    /// A table of these methods.
    public init(_ entries: [Entry]) { self.entries = entries }

    /// The methods of this program: a new one is a folder beside `LowRank` and a line here.
    public static let standard = MethodTable([
        low("frozen", .frozen),
        low("unolora", .unolora),
        low("unolora_star", .unoloraStar),
        low("lora_per_task", .loraPerTask),
    ])

    private static func low(_ name: String, _ known: LowRankOptions.Method) -> Entry {
        Entry(name) { configuration, shape, source throws(Failure) in
            try LowRankMethod.make(known, configuration, shape, source)
        }
    }

    /// The table with one method more.
    public func adding(_ entry: Entry) -> MethodTable { MethodTable(entries + [entry]) }

    /// The names in the order of the table.
    public var names: [String] { entries.map(\.name) }

    /// Makes the method that a configuration names, on a backbone of this shape. Throws what its values are refused with.
    public func method(
        _ configuration: AdapterConfiguration, on shape: any BackboneShape, from source: MethodSource
    ) throws(Failure) -> MadeMethod {
        guard let entry = entries.first(where: { $0.name == configuration.method }) else {
            let known = names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
            throw Failure(
                .badData, "\(source.path): method \(configuration.method.shown) is not in this version; it has \(known)"
            )
        }
        return try entry.make(configuration, shape, source)
    }
}
