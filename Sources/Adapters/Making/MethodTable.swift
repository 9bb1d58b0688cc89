import Backbone
import Failures
import Tensors

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
