public import Failures
import Foundation
import Tensors
public import Text

/// Turns input lines of a task into source ids, and generated ids into answers.
public struct Prediction: Sendable {
    /// The source of one input line.
    public struct Source: Sendable, Equatable {
        /// The text.
        public let text: String
        /// Its ids, EOS included, at most `maxSource` of them.
        public let ids: [Int32]
        /// Whether the text was cut.
        public let isTruncated: Bool
        /// The fields that the cut removes completely.
        public let lostFields: [String]
        /// The share of characters, white space excluded, that no piece covers.
        public let unknownShare: Double
    }

    /// The meaning of generated ids.
    public struct Answer: Sendable, Equatable {
        /// The text.
        public let text: String
        /// The class; nil when the text is not a label or the task has grades.
        public let label: Int?
        /// The files' name for that class.
        public let labelName: String?
        /// The score; nil when the text is not a number or the task has classes.
        public let score: Double?
    }

    private let definition: TaskDefinition
    private let vocabulary: any Tokenizer
    private let maxSource: Int
    /// The fields as names of values of a JSON object.
    private let names: JSONNames

    /// Prepares a task; `maxSource` counts tokens with EOS.
    public init(_ definition: TaskDefinition, vocabulary: any Tokenizer, maxSource: Int) {
        self.definition = definition
        self.vocabulary = vocabulary
        self.maxSource = max(2, maxSource)
        names = JSONNames(definition.fields.map(\.name))
    }

    /// The source of one input line.
    ///
    /// A line that starts with `{`, after spaces or none, is a JSON object with the task's fields by their names in the template,
    /// which may lead into objects as in a JSONL file; the values are texts, numbers or booleans as there. Any other line has the
    /// fields' texts in order, separated by tabs. A blank
    /// line is not allowed. Throws `badData` with the reason, without the line's place.
    public func source(ofLine line: String) throws(Failure) -> Source {
        guard !Self.isBlank(line) else {
            let name = definition.fields[0].name
            throw Failure(.badData, "the line is blank; remove it, or write an empty text as {\"\(name)\": \"\"}")
        }
        let values = Self.isObject(line) ? try object(line) : try columns(line)
        var source = RenderedSource()
        definition.template.render(into: &source) { Array(values[$0].utf8)[...] }
        var lists = TokenLists()
        let finding = try SourceTokeniser(definition: definition, vocabulary: vocabulary, maxSource: maxSource)
            .append(source, to: &lists)
        return Source(
            text: String(decoding: source.text, as: UTF8.self), ids: lists.ids, isTruncated: finding.isCut,
            lostFields: finding.lost.filter { $0.kind == .field }.map(\.text),
            unknownShare: Double(finding.unknownCharacters) / Double(max(finding.characters, 1)))
    }

    /// Whether a line is blank.
    static func isBlank(_ line: String) -> Bool { line.utf8.allSatisfy(" \r".utf8.contains) }

    /// Whether a line is to be a JSON object: a brace is its first character, spaces aside. After a tab it would begin the second
    /// column.
    static func isObject(_ line: String) -> Bool {
        line.utf8.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "{")
    }

    /// The reason when a line is not the JSON object that it begins.
    static func refusal(_ problem: JSONReader.Problem) -> String {
        "not a JSON object (byte \(problem.offset + 1) of the line: \(problem.text))"
    }

    /// The answer that generated ids mean; ids from the first EOS on are ignored.
    public func answer(_ ids: some Sequence<Int32>) throws(Failure) -> Answer {
        let text = try vocabulary.answer(ids)
        let label = definition.answers.label(of: text)
        let isGrade = if case .grades = definition.answers { true } else { false }
        return Answer(
            text: text, label: label, labelName: label.map { definition.labelNames[$0] },
            score: isGrade ? AnswerSpace.number(of: text) : nil)
    }

    private func columns(_ line: String) throws(Failure) -> [String] {
        let values = line.utf8.split(separator: 0x09, omittingEmptySubsequences: false).map { String(Substring($0)) }
        guard values.count == definition.fields.count else {
            throw Failure(
                .badData,
                "the line has \(values.count) \(values.count == 1 ? "column" : "columns"), but task "
                    + "\"\(definition.name)\" reads \(definition.fields.count): \(fieldNames), with tabs between")
        }
        return values
    }

    private func object(_ line: String) throws(Failure) -> [String] {
        var values = [String](repeating: "", count: definition.fields.count)
        var line = line
        var problem: JSONReader.Problem?
        var (unusable, absence): (String?, String?)
        line.withUTF8 { bytes in
            var reader = unsafe JSONReader(UnsafeRawBufferPointer(bytes))
            do throws(JSONReader.Problem) {
                absence = try names.read(&reader) { (reader, key) throws(JSONReader.Problem) in
                    let first = reader.peek()
                    if let text = try reader.scalarText() {
                        for index in definition.fields.indices where definition.fields[index].name == key {
                            values[index] = text
                        }
                        return
                    }
                    let kind = first == UInt8(ascii: "n") ? "null" : first == UInt8(ascii: "[") ? "a list" : "an object"
                    unusable =
                        unusable ?? "the value of \"\(key.shown)\" is \(kind), but must be a text, number or boolean"
                }
            } catch { problem = error }
        }
        if let problem {
            throw Failure(.badData, Self.refusal(problem))
        }
        if let unusable { throw Failure(.badData, unusable) }
        if let absence {
            throw Failure(.badData, "\(absence); task \"\(definition.name)\" reads \(fieldNames)")
        }
        return values
    }

    private var fieldNames: String { definition.fields.map(\.name).joined(separator: ", ") }
}
