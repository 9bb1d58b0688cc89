/// A part of a source that can be lost behind a cut.
public struct SourcePart: Sendable, Hashable, Codable {
    /// The kinds of parts.
    public enum Kind: String, Sendable, Codable {
        /// A field of the task.
        case field
        /// The template's text behind its last field: often what asks the question.
        case ending
    }

    /// What kind of part it is.
    public let kind: Kind
    /// The field's name, or the ending as it stands in the template.
    public let text: String
}

extension TaskDefinition {
    /// What is lost in whole of a source of which only the text in front of a byte is left, in the template's order.
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
