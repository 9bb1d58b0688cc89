import Randomness

/// A row of a generated task, as it is written to the file.
struct SuiteRow: Hashable {
    /// The texts, in the order of the task's fields.
    let texts: [String]
    /// The class as the file names it, or the raw score.
    let answer: String
}

/// A generator of the rows of one task.
protocol SentenceGrammar {
    /// The next row; `number` counts the rows and decides the class, which fixes the shares of the classes.
    static func row(number: Int, from stream: inout RandomStream) -> SuiteRow
}
