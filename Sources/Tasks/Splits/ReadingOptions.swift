/// What happens to a bad row.
public enum BadRowPolicy: String, Sendable, Codable, CaseIterable {
    /// The job ends with the file, line and reason.
    case fail
    /// The row is left out and counted.
    case skip
}

/// How files become splits.
public struct ReadingOptions: Sendable, Equatable, Codable {
    /// What happens to a bad row.
    public var onBadRow: BadRowPolicy
    /// Whether training drops rows whose source text occurs in another split of the task.
    public var dropDuplicates: Bool
    /// The seed for choosing halves and held-out rows.
    public var splitSeed: UInt64

    /// Creates options.
    public init(onBadRow: BadRowPolicy = .fail, dropDuplicates: Bool = false, splitSeed: UInt64 = 0) {
        self.onBadRow = onBadRow
        self.dropDuplicates = dropDuplicates
        self.splitSeed = splitSeed
    }
}
