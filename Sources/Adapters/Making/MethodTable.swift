public import Backbone
public import Failures
import Tensors

/// The table of methods, by name.
public struct MethodTable: Sendable {
    /// One method.
    public struct Entry: Sendable {
        let name: String
        let make: @Sendable (AdapterConfiguration, any BackboneShape, MethodSource) throws(Failure) -> MadeMethod

        /// Creates an entry from the method's name in `method:` and a function that makes it for a backbone.
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

    /// Creates a table of these methods.
    public init(_ entries: [Entry]) { self.entries = entries }

    /// The table with one more method.
    public func adding(_ entry: Entry) -> MethodTable { MethodTable(entries + [entry]) }

    /// The names in the order of the table.
    public var names: [String] { entries.map(\.name) }

    /// Makes the method that a configuration names, on a backbone of this shape. Throws the refusal of its values.
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
