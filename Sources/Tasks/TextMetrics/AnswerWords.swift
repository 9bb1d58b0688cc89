/// The words of an answer as the evaluation of SQuAD compares them: in lower case, without ASCII punctuation and without the
/// articles a, an and the.
///
/// Source: the evaluation script of SQuAD 2.0 (Rajpurkar et al., 2018).
struct AnswerWords: Equatable {
    private static let articles: [[Unicode.Scalar]] = ["a", "an", "the"].map { Array($0.unicodeScalars) }
    /// Code points are compared, as in Python, not what looks alike.
    private let words: [[Unicode.Scalar]]

    init(_ text: String) {
        let scalars = PlainText.lowercased(text).filter { !Self.isPunctuation($0) }
        // An article is a whole run of word characters: in "a\u{301}" the "a" is one, since the accent is none of them.
        var kept: [Unicode.Scalar] = []
        kept.reserveCapacity(scalars.count)
        var place = 0
        while place < scalars.count {
            let end = scalars[place...].firstIndex { !PlainText.isWord($0) } ?? scalars.count
            guard end > place else {
                kept.append(scalars[place])
                place += 1
                continue
            }
            if Self.articles.contains(where: { scalars[place..<end].elementsEqual($0) }) {
                kept.append(" ")
            } else {
                kept += scalars[place..<end]
            }
            place = end
        }
        words = PlainText.words(kept)
    }

    /// Python's `string.punctuation`.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// The F1 of this answer's words against those of a reference. If one of them has no words it is 1 when both have none,
    /// otherwise 0.
    func f1(_ reference: AnswerWords) -> Double {
        guard !words.isEmpty, !reference.words.isEmpty else { return self == reference ? 1 : 0 }
        var left = Dictionary(reference.words.map { ($0, 1) }, uniquingKeysWith: +)
        var common = 0
        for word in words {
            guard let count = left[word], count > 0 else { continue }
            left[word] = count - 1
            common += 1
        }
        guard common > 0 else { return 0 }
        let precision = Double(common) / Double(words.count)
        let recall = Double(common) / Double(reference.words.count)
        return 2 * precision * recall / (precision + recall)
    }
}
