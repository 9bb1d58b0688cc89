public import Failures
import Tensors
public import Text

/// The token ids, with EOS, of every target of a task: one list for each class or grade, and none for free text.
public struct TargetTable: Sendable {
    let lists: TokenLists
    private let definition: TaskDefinition

    /// The longest target in tokens, EOS included: the smallest sufficient budget for generation.
    public var longest: Int { lists.longest }

    /// The list of each target.
    public var all: [[Int32]] {
        let offsets = lists.offsets.map { Int($0) }
        return lists.lengths.indices.map { Array(lists.ids[offsets[$0]..<offsets[$0 + 1]]) }
    }

    /// Encodes the targets. Throws `badData` when the vocabulary cannot write a target, gives two targets the same ids, or
    /// decodes one to another text. A generated answer is compared with the task's text, so such a target could never be right.
    public init(_ definition: TaskDefinition, _ vocabulary: any Tokenizer) throws(Failure) {
        var lists = TokenLists()
        var textOfIDs: [[Int32]: String] = [:]
        for index in 0..<definition.answers.targetCount {
            let text = definition.answers.targetText(index)
            let ids = try vocabulary.encode(text)
            let isWhole = !ids.isEmpty && !ids.contains { $0 == vocabulary.unknownID }
            var problem = isWhole ? nil : "has no pieces for it"
            if let other = textOfIDs.updateValue(text, forKey: ids) {
                problem = problem ?? "writes it like \"\(other.shown)\""
            }
            if problem == nil {
                let written = try vocabulary.decode(ids)
                if written != text { problem = "would write it as \"\(written.shown)\"" }
            }
            if let problem {
                throw Failure(
                    .badData,
                    "task \"\(definition.name.shown)\": the answer \"\(text.shown)\" cannot be generated, because the "
                        + "vocabulary \(vocabulary.path.shown) \(problem); use another answer text")
            }
            _ = lists.append(limit: .max, end: vocabulary.endID) { $0 += ids }
        }
        self.lists = lists
        self.definition = definition
    }

    /// Checks that generating `budget` tokens is enough for every target; `badConfiguration` names the longest.
    public func check(fit budget: Int) throws(Failure) {
        guard longest > budget, let index = lists.lengths.firstIndex(of: UInt32(longest)) else { return }
        throw Failure(
            .badConfiguration,
            "task \"\(definition.name.shown)\": the label \"\(definition.answers.targetText(index).shown)\" takes "
                + "\(longest) tokens, more than the generation budget of \(budget); raise the budget to \(longest) or "
                + "shorten the label")
    }
}
