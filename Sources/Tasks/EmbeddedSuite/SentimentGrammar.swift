import Randomness

/// Whether a sentence praises (1) or criticises (0), like SST-2; half of each.
///
/// "the ending is truly dull but the film seems lovely and witty": most sentences (75 %) have one to three words of the same
/// polarity, some (15 %) two against one, and some (10 %) a negated word. This is the only task of the suite in which a word
/// may give the answer away, as in SST-2.
enum SentimentGrammar: SentenceGrammar {
    static func row(number: Int, from stream: inout RandomStream) -> SuiteRow {
        let positive = number % 2 == 1
        let kind = stream.below(100)
        let text: String
        if kind < 75 {
            text =
                clause(positive, words: 1 + stream.below(2), from: &stream)
                + (stream.chance(40) ? " and " + clause(positive, words: 1, from: &stream) : "")
        } else if kind < 90 {
            let clauses = [
                clause(positive, words: 2, from: &stream), clause(!positive, words: 1, from: &stream),
            ]
            text = (stream.chance(50) ? clauses : clauses.reversed()).joined(separator: " but ")
        } else {
            text = clause(!positive, words: 1, negated: true, from: &stream)
        }
        return SuiteRow(texts: [text], answer: positive ? "1" : "0")
    }

    private static func clause(
        _ positive: Bool, words count: Int, negated: Bool = false, from stream: inout RandomStream
    ) -> String {
        let polar = positive ? Lexicon.praise : Lexicon.blame
        var words = ["the", stream.choice(stream.chance(65) ? Lexicon.works : Lexicon.parts)]
        words.append(stream.choice(["is", "was", "seems"]))
        if negated { words.append("not") }
        if stream.chance(50) { words.append(stream.choice(Lexicon.intensifiers)) }
        let first = stream.choice(polar)
        words.append(first)
        if count > 1 { words += ["and", stream.choice(polar, not: first)] }
        return words.joined(separator: " ")
    }
}
