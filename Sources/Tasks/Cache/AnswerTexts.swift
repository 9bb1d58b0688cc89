import Failures
import Text

/// The answers of consecutive examples of a task with free text: a target of each, and the texts that are right.
struct AnswerTexts: Sendable {
    /// The target of each example.
    private(set) var targets = TokenLists()
    /// How many texts are right, of each example.
    private(set) var counts: [Int] = []
    /// The end of each of these texts in `utf8`.
    private(set) var ends: [UInt64] = []
    private(set) var utf8: [UInt8] = []
    private var findings: AnswerCounts
    private var wholeLengths: [Int] = []

    /// No answers; targets are cut to `limit` tokens, EOS included.
    init(limit: Int?) {
        findings = AnswerCounts(limit: limit)
    }

    /// Adds the answer of an example. Throws `badData` for an added token that the model does not have.
    mutating func append(_ texts: [String], _ vocabulary: any Tokenizer) throws(Failure) {
        var (holdsAddedToken, whole, isUnknown) = (false, 0, false)
        let isCut = try targets.append(limit: findings.limit ?? .max, end: vocabulary.endID) { (ids) throws(Failure) in
            let start = ids.count
            holdsAddedToken = try vocabulary.encode(texts[0], into: &ids)
            whole = ids.count - start + 1
            isUnknown = ids[start...].contains { $0 == vocabulary.unknownID }
        }
        wholeLengths.append(whole)
        findings.truncated += isCut ? 1 : 0
        findings.withUnknown += isUnknown ? 1 : 0
        findings.withAddedTokens += holdsAddedToken ? 1 : 0
        findings.empty += texts[0].isEmpty ? 1 : 0
        findings.references += texts.count
        counts.append(texts.count)
        for text in texts {
            utf8 += text.utf8
            ends.append(UInt64(utf8.count))
        }
    }

    /// Adds the answers of later examples.
    mutating func append(contentsOf other: AnswerTexts) {
        targets.append(contentsOf: other.targets)
        counts += other.counts
        let start = UInt64(utf8.count)
        ends += other.ends.map { start + $0 }
        utf8 += other.utf8
        wholeLengths += other.wholeLengths
        findings.add(other.findings)
    }

    /// What tokenising found.
    var report: AnswerCounts {
        var report = findings
        report.whole = TokenLengths(wholeLengths)
        return report
    }

    /// The index of each example's first text among all texts.
    var firsts: [Double] {
        var next = 0
        return counts.map { count in
            defer { next += count }
            return Double(next)
        }
    }
}
