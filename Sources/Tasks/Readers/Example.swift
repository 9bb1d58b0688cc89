/// One example of a task as text.
public struct Example: Sendable, Equatable {
    /// The text that the model reads.
    public let source: String
    /// The text that the model should answer.
    public let target: String
    /// The label or raw score from which the target was made.
    public let gold: GoldAnswer
    /// The file, as an index into the task's files.
    public let file: Int
    /// The line in that file, from 1.
    public let line: Int

    /// Creates an example.
    public init(source: String, target: String, gold: GoldAnswer, file: Int, line: Int) {
        self.source = source
        self.target = target
        self.gold = gold
        self.file = file
        self.line = line
    }
}
