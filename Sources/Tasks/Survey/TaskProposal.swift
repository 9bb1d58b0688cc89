public import Failures
import Foundation
import Tensors

/// A task that a file could be, as an entry of `tasks`. Which column has the answer is a guess, by the rules of `answer(of:)`.
public struct TaskProposal: Sendable {
    /// What the answers are.
    enum Answers: Equatable {
        case labels([String])
        case range(minimum: Double, maximum: Double, step: Double)
        case text
    }

    private let survey: FileSurvey
    private let name: String
    private let answer: Int
    private let answers: Answers
    private let reason: String
    private let fields: [Int]

    /// Names of columns that have labels, the most likely first, and of those that have scores.
    private static let labelNames = ["label", "labels", "gold_label", "class", "category", "target", "answer", "y"]
    private static let scoreNames = ["score", "scores", "rating", "similarity"]
    /// The steps of a range, at most.
    private static let mostGrades = 25.0

    /// Guesses; throws `badData` for a file without a column to ask with.
    public init(_ survey: FileSurvey, name: String) throws(Failure) {
        self.survey = survey
        self.name = name
        (answer, answers, reason) = Self.answer(of: survey.columns)
        fields = Self.fields(of: survey.columns, beside: answer)
        guard !fields.isEmpty else {
            throw Failure(
                .badData,
                "\(survey.path.shown) has no column that the model could read beside the answer; give a file with several columns"
            )
        }
    }

    /// The column with the answer: one that can be labels and has a usual name; else numbers with a usual name; else a list of
    /// texts with a usual name; else the last one that can be labels; else another list of texts; else the last one with text.
    private static func answer(of columns: [SurveyedColumn]) -> (column: Int, answers: Answers, reason: String) {
        func named(_ names: [String], _ fits: (SurveyedColumn) -> Bool) -> Int? {
            for name in names {
                if let column = columns.firstIndex(where: { $0.name.lowercased() == name && fits($0) }) {
                    return column
                }
            }
            return nil
        }
        func labels(_ column: Int, _ reason: String) -> (Int, Answers, String) {
            let classes = columns[column].classes
            let counts = classes.map { "\($0.shown) \(columns[column].values?[$0] ?? 0) times" }
            return (
                column, .labels(classes),
                "\(reason), and has \(classes.count) values: \(counts.joined(separator: ", "))"
            )
        }
        if let column = named(labelNames, \.canBeLabel) { return labels(column, "it has a usual name of labels") }
        if let column = named(scoreNames, \.canBeScore), let range = columns[column].range {
            return (
                column, grades(of: range),
                "it has a usual name of scores, and numbers from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        let list = columns.firstIndex(where: \.isList)
        let reason = "it is a list of texts, which are all right, and the first is trained on"
        if let list, SurveyedColumn.isNamedAnswer(columns[list].name) { return (list, .text, reason) }
        if let column = columns.lastIndex(where: \.canBeLabel) {
            return labels(column, "it is the last one with few values")
        }
        if let list { return (list, .text, reason) }
        let column = columns.lastIndex(where: \.isText) ?? columns.count - 1
        return (column, .text, "no column is like labels or scores, and it is the last one with text")
    }

    /// Whole numbers around the scores, the upper one so that a round step divides the range: the smallest of 0.1, 0.2, 0.25, 0.5,
    /// 1, 2, 2.5, 5, 10, ... with at most `mostGrades` steps.
    private static func grades(of range: ClosedRange<Double>) -> Answers {
        let minimum = range.lowerBound.rounded(.down)
        let span = max(range.upperBound.rounded(.up) - minimum, 1)
        var (unit, step) = (0.1, 0.1)
        while span / step > mostGrades {
            guard let next = [2, 2.5, 5].first(where: { $0 * unit > step }) else {
                unit *= 10
                step = unit
                continue
            }
            step = next * unit
        }
        // A quotient such as 5 / 0.2 may lie beside a whole number.
        let count = (span / step - 1e-6).rounded(.up)
        return .range(minimum: minimum, maximum: minimum + count * step, step: step)
    }

    /// The columns with text; without any, those that are no numbers and do not repeat few values.
    private static func fields(of columns: [SurveyedColumn], beside answer: Int) -> [Int] {
        let others = columns.indices.filter { $0 != answer && !columns[$0].isList }
        let texts = others.filter { columns[$0].isText }
        guard texts.isEmpty else { return texts }
        return others.filter { columns[$0].range == nil && !columns[$0].canBeLabel }
    }

    /// The entry with comments, and what the model sees of the first rows.
    public func text() throws(Failure) -> String {
        let columns = survey.columns
        let others = columns.indices.filter { $0 != answer && !fields.contains($0) && !columns[$0].isList }
            .map { columns[$0].name.shown }
        let (kind, form) = (answers == .text ? "target" : "label", survey.hasHeader ? ", with a header" : "")
        var lines = [
            "# \(survey.path.shown): \(survey.format.rawValue)\(form), \(survey.rows) rows",
            "# The \(kind) \(columns[answer].name.shown) is a guess: \(reason).",
            "# The model reads the columns in fields, a guess too"
                + (others.isEmpty ? "." : "; there are also \(others.joined(separator: ", "))."),
        ]
        let lists = survey.lists.filter { $0 != columns[answer].name }
        if !lists.isEmpty {
            lines.append("# Lists cannot be columns: \(lists.map(\.shown).joined(separator: ", ")).")
        }
        if survey.badRows > 0 {
            let first = survey.firstBadRow.map { " (the first is \($0))" } ?? ""
            lines.append(
                "# \(survey.badRows) rows cannot be read with these columns\(first); data.onBadRow: skip leaves them out."
            )
        }
        lines += ["tasks:", "  - name: \(Self.quoted(name))"] + entry.map { "    \($0)" }
        lines.append("# What the model will see, and what it is to answer:")
        for row in survey.examples { lines.append("# \(try example(row).shown)") }
        return lines.joined(separator: "\n")
    }

    private var entry: [String] {
        let columns = survey.columns
        func list(_ texts: [String]) -> String { "[" + texts.map(Self.quoted).joined(separator: ", ") + "]" }
        var lines = [
            "train: \(Self.quoted(URL(fileURLWithPath: survey.path).path))", "format: \(survey.format.rawValue)",
        ]
        if survey.format != .jsonl, !survey.hasHeader {
            lines += ["header: false", "columns: \(list(columns.map(\.name)))"]
        }
        lines.append("fields: \(list(fields.map { columns[$0].name }))")
        let own = Self.quoted(columns[answer].name)
        switch answers {
        case .labels(let labels):
            let pairs = labels.map { "\(Self.quoted($0)): \(Self.quoted(SurveyedColumn.answer($0)))" }
            let isPlain = labels.allSatisfy { SurveyedColumn.answer($0) == $0 }
            lines += ["label: \(own)", "labels: " + (isPlain ? list(labels) : "{\(pairs.joined(separator: ", "))}")]
        case .range(let minimum, let maximum, let step):
            lines += ["label: \(own)", "range: [\(minimum), \(maximum), \(step)]"]
        case .text: lines.append("target: \(own)")
        }
        // Without a validation file training rows become validation; the default of 1,000 may be more than there are.
        return lines + ["holdOut: \(max(1, min(1_000, survey.rows / 10)))"]
    }

    private func example(_ row: [String]) throws(Failure) -> String {
        let names = fields.map { survey.columns[$0].name }
        let template = try Template(Template.defaultPattern(task: name, fields: names), fields: names)
        var source = RenderedSource()
        template.render(into: &source) { Array(row[fields[$0]].utf8)[...] }
        var target = row[answer]
        if case .labels = answers { target = SurveyedColumn.answer(target) }
        if case .range(let minimum, let maximum, let step) = answers, let score = AnswerSpace.number(of: target) {
            let decimals = AnswerSpace.decimals(minimum: minimum, step: step)
            target = AnswerSpace.grades(minimum: minimum, maximum: maximum, step: step, decimals: decimals)
                .targetText(of: .score(score))
        }
        return "\(String(decoding: source.text, as: UTF8.self)) -> \(target)"
    }

    /// A text as YAML reads it back, in quotes unless it is a plain word.
    private static func quoted(_ text: String) -> String {
        let isWord = text.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_.]*/#) != nil
        let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        if isWord, !words.contains(text.lowercased()) { return text }
        let json = (try? StableJSON.line(text, "a text")) ?? Data()
        return String(decoding: json, as: UTF8.self)
    }
}
