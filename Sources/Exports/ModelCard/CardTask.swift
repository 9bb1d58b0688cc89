package import Failures
import Foundation
package import Tasks
import Tensors
package import Text

/// What a model card says about a task.
package struct CardTask: Sendable {
    /// Name of the task.
    package let name: String
    /// The text with placeholders.
    let template: String
    /// An example of the text that the model reads. Its fields have made-up texts: the data may be private.
    let example: String
    /// One line about the answers each.
    let answers: [String]
    /// The most tokens that the model answers with.
    let budget: Int

    private static let fillers = [
        "The book was read by everyone.", "Everyone has read the book.", "Nobody knows the book.",
    ]

    /// Describes a task.
    package init(_ task: TaskDefinition, budget: Int, vocabulary: any Tokenizer) throws(Failure) {
        name = task.name
        template = task.template.pattern
        self.budget = budget
        var values: [String: String] = [:]
        for (index, field) in task.fields.enumerated() { values[field.name] = Self.fillers[index % Self.fillers.count] }
        let line = String(decoding: try StableJSON.line(values, "an example"), as: UTF8.self)
        example = try Prediction(task, vocabulary: vocabulary, maxSource: 1 << 20)
            .source(ofLine: line).text
        switch task.answers {
        case .classes(let texts):
            let positive = task.positiveClass?.index
            let names = task.labelNames
            answers = texts.enumerated().map { index, text in
                "\(Markdown.code(text))"
                    + (names.indices.contains(index) && names[index] != text
                        ? " for label \(Markdown.code(names[index]))" : "")
                    + (index == positive ? " (the positive class of F1)" : "")
            }
        case .grades(let minimum, let maximum, let step, let decimals):
            answers = [
                "a number from \(minimum) to \(maximum) in steps of \(step), with \(decimals) decimal\(decimals == 1 ? "" : "s")"
            ]
        case .texts:
            answers = ["free text"]
        }
    }
}

/// Texts in Markdown.
enum Markdown {
    /// A text as code, whatever is in it; line ends become spaces.
    static func code(_ text: String) -> String {
        let line = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: " ")
        var (longest, run) = (0, 0)
        for character in line {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: longest + 1)
        let space = line.hasPrefix("`") || line.hasSuffix("`") || line.isEmpty ? " " : ""
        return fence + space + line + space + fence
    }

    /// A text in double quotes, as YAML and Python read it.
    static func quoted(_ text: String) -> String {
        let json = (try? StableJSON.line(text, "a text")) ?? Data()
        return String(decoding: json, as: UTF8.self)
    }
}
