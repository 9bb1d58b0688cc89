public import Failures
import Tensors
public import Text

/// Reads the input lines of a filter: the task, the source and the id of each.
public struct PredictionReader: Sendable {
    /// A line that can be answered.
    public struct Line: Sendable, Equatable {
        /// The value of the key `id` as the line writes it, a JSON scalar; nil without that key.
        public let id: String?
        /// The task's number.
        public let task: Int
        /// The source.
        public let source: Prediction.Source
    }

    /// A line that cannot be answered.
    public struct Refusal: Error, Equatable {
        /// See `Line`; nil also when the line is damaged before its id.
        public let id: String?
        /// What is wrong and what to do, without the line's place.
        public let reason: String

        /// Creates a refusal.
        public init(id: String?, reason: String) {
            self.id = id
            self.reason = reason
        }
    }

    /// What a line says besides its texts.
    private struct Heading {
        var id: String?
        var task: String?
        var problem: String?
    }

    private let predictions: [Prediction]
    private let definitions: [TaskDefinition]
    private let task: Int?

    /// Prepares to read lines of the task with number `task`, or, if that is nil, of the tasks that they name. `maxSource` counts
    /// tokens with EOS.
    public init(_ definitions: [TaskDefinition], task: Int?, vocabulary: any Tokenizer, maxSource: Int) {
        self.definitions = definitions
        self.task = task
        predictions = definitions.map { Prediction($0, vocabulary: vocabulary, maxSource: maxSource) }
    }

    /// The meaning of generated ids in a task.
    public func answer(_ ids: some Sequence<Int32>, task: Int) throws(Failure) -> Prediction.Answer {
        try predictions[task].answer(ids)
    }

    /// Reads a line (`Prediction.source(ofLine:)`).
    ///
    /// The keys `id` and `task` of a JSON object are the line's id and task. If the task has a field named `id`, then that key is
    /// both. If there is one task for all lines, they may name only that one, but when it has a field named `task`, then that key
    /// is the field and nothing else. If each line names its task, then a task with such a field cannot be named.
    public func line(_ text: String) -> Result<Line, Refusal> {
        let isObject = Prediction.isObject(text)
        let heading = isObject ? heading(text) : Heading()
        do throws(Failure) {
            if let problem = heading.problem { throw Failure(.badData, problem) }
            let task = try task(heading, isObject: isObject, of: text)
            return .success(Line(id: heading.id, task: task, source: try predictions[task].source(ofLine: text)))
        } catch {
            return .failure(Refusal(id: heading.id, reason: error.message))
        }
    }

    private func task(_ heading: Heading, isObject: Bool, of text: String) throws(Failure) -> Int {
        if let task {
            let definition = definitions[task]
            if let name = heading.task, name != definition.name, !hasTaskField(definition) {
                throw Failure(
                    .badData,
                    "the line names task \"\(name.shown)\", but all lines are answered as task \"\(definition.name)\"; remove "
                        + "it, or leave out --task")
            }
            return task
        }
        guard let name = heading.task else {
            // A blank line has a reason of its own.
            guard isObject || Prediction.isBlank(text) else {
                throw Failure(
                    .badData,
                    "the line is no JSON object, so it names no task; give --task for all lines, or {\"task\": ...}")
            }
            if isObject {
                throw Failure(
                    .badData, "the object has no key \"task\"; name one of \(names), or give --task for all lines")
            }
            return 0
        }
        guard let task = definitions.firstIndex(where: { $0.name == name }) else {
            throw Failure(.badData, "there is no task \"\(name.shown)\"; the tasks are \(names)")
        }
        guard !hasTaskField(definitions[task]) else {
            throw Failure(
                .badData,
                "task \"\(name)\" has a field named task, so a line cannot both name it and give that field; give --task"
            )
        }
        return task
    }

    private func hasTaskField(_ definition: TaskDefinition) -> Bool { definition.fields.contains { $0.name == "task" } }

    private var names: String { definitions.map(\.name).joined(separator: ", ") }

    /// Looks for `id` and `task`. What is wrong with the rest of the object is left to the reading of the fields.
    private func heading(_ line: String) -> Heading {
        var heading = Heading()
        var line = line
        line.withUTF8 { bytes in
            var reader = unsafe JSONReader(UnsafeRawBufferPointer(bytes))
            do throws(JSONReader.Problem) {
                try reader.object { (reader, key) throws(JSONReader.Problem) in
                    guard key == "id" || key == "task" else { return try reader.skipValue() }
                    let first = reader.peek()
                    let start = reader.offset
                    let text = try reader.scalarText()
                    let isNull = first == UInt8(ascii: "n")
                    if text == nil, !isNull {
                        heading.problem =
                            heading.problem
                            ?? "the value of \"\(key)\" is \(first == UInt8(ascii: "[") ? "a list" : "an object"), but must be "
                            + "a text, number, boolean or null"
                    } else if key == "id" {
                        if heading.id != nil {
                            heading.problem = heading.problem ?? "the key \"id\" occurs twice; give one"
                        }
                        heading.id = unsafe String(decoding: bytes[start..<reader.offset], as: UTF8.self)
                    } else {
                        if heading.task != nil {
                            heading.problem = heading.problem ?? "the key \"task\" occurs twice; give one"
                        }
                        heading.task = text
                    }
                }
            } catch {
                heading.problem = heading.problem ?? Prediction.refusal(error)
            }
        }
        return heading
    }
}
