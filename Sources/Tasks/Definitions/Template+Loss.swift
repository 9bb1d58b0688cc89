/// A part of a source that a cut can remove completely.
public struct SourcePart: Sendable, Hashable, Codable {
    /// The kinds of parts.
    public enum Kind: String, Sendable, Codable {
        /// A field of the task.
        case field
        /// The template's text after its last field: often the part that asks the question.
        case ending
    }

    /// What kind of part it is.
    public let kind: Kind
    /// The field's name, or the ending as written in the template.
    public let text: String
}

extension TaskDefinition {
    /// The parts that are lost completely when only the text before byte `end` is left, in the template's order.
    func lostParts(of source: RenderedSource, behind end: Int) -> [SourcePart] {
        var lost: [SourcePart] = []
        for (index, field) in fields.enumerated() {
            let places = template.parts.indices.filter { template.parts[$0] == .field(index) }
            if !places.isEmpty, places.allSatisfy({ source.loses(part: $0, behind: end) }) {
                lost.append(SourcePart(kind: .field, text: field.name))
            }
        }
        let last = template.parts.count - 1
        if case .text(let text)? = template.parts.last, source.loses(part: last, behind: end) {
            lost.append(SourcePart(kind: .ending, text: text))
        }
        return lost
    }
}
