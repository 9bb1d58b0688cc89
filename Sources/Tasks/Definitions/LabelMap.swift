/// How the labels in the files become classes.
public struct LabelMap: Sendable, Equatable, Codable {
    /// A label in the files and the class that it means.
    public struct Entry: Sendable, Equatable, Codable {
        /// The label as the files write it (a JSON number or boolean as its text).
        public let label: String
        /// The class.
        public let index: Int

        /// Creates an entry.
        public init(label: String, index: Int) {
            self.label = label
            self.index = index
        }
    }

    /// The labels, in the order in which messages list them.
    public let entries: [Entry]
    /// Labels of rows that are left out (MNLI's "-" means no majority among the annotators); they are counted, never an error.
    public let ignored: [String]

    /// Creates a map.
    public init(entries: [Entry], ignored: [String] = []) {
        self.entries = entries
        self.ignored = ignored
    }

    /// Creates a map in which each label is its own class, in this order.
    public init(classes: [String], ignored: [String] = []) {
        self.init(
            entries: classes.enumerated().map { Entry(label: $1, index: $0) }, ignored: ignored)
    }

    /// The first label of each class, as results show it.
    func name(of index: Int) -> String? {
        entries.first { $0.index == index }?.label
    }

    /// The labels that a row may have, for messages.
    var allowed: String {
        entries.map { "\"\($0.label)\"" }.joined(separator: ", ")
    }
}
