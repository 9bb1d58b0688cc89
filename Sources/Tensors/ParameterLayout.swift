/// Gives the position of each named trainable tensor in a flat arena.
///
/// Weights, gradients and both moments of the optimiser share one layout, so one reduction, one optimiser loop and one file
/// suffice.
public struct ParameterLayout: Sendable, Equatable {
    /// One named tensor.
    public struct Entry: Sendable, Equatable {
        /// Name as in the adapter file, e.g. `encoder.block.0.layer.0.SelfAttention.q.lora_A.weight`.
        public let name: String
        /// Shape, outermost first.
        public let shape: [Int]
        /// First element in the arena.
        public let offset: Int
        /// Number of elements.
        public var count: Int { shape.reduce(1, *) }
        /// The elements' positions in the arena.
        public var range: Range<Int> { offset..<offset + count }
    }

    /// The tensors in arena order.
    public private(set) var entries: [Entry] = []
    /// Number of elements of all tensors together.
    public private(set) var count = 0
    private var indexByName: [String: Int] = [:]

    /// Creates an empty layout.
    public init() {}

    /// Appends a tensor and returns its entry; a name may occur only once.
    @discardableResult
    public mutating func append(_ name: String, _ shape: [Int]) -> Entry {
        precondition(indexByName[name] == nil, "two tensors named \(name)")
        let entry = Entry(name: name, shape: shape, offset: count)
        indexByName[name] = entries.count
        entries.append(entry)
        count += entry.count
        return entry
    }

    /// The tensor of that name.
    public subscript(name: String) -> Entry? {
        indexByName[name].map { entries[$0] }
    }

    /// The text that identifies the layout: names, shapes and order.
    public var canonicalText: String {
        entries.map { "\($0.name)\($0.shape)" }.joined(separator: "\n")
    }
}
