import Randomness

/// Whether two sentences mean the same, like MRPC and QQP: 1 yes (55 %), 0 no.
///
/// A paraphrase has the same content words; time words move, and prepositions are replaced by synonyms. Otherwise the second
/// sentence is about something completely different (45 %), one of the two has details that the other lacks (30 %), or one
/// content word differs (25 %, hard).
///
/// No keyword solves it: the words of a sentence are drawn in the same way for both answers, except for the details, which are
/// any of 36 words in either sentence. Many words together do help (a manner, one of 14, occurs only in details: a linear model
/// of all words reaches about 70 %); beyond that, a model must compare the two sentences.
enum ParaphraseGrammar: SentenceGrammar {
    private enum Difference { case everything, details, oneWord }

    static func row(number: Int, from stream: inout RandomStream) -> SuiteRow {
        let same = number % 20 < 11
        var first = Clause(from: &stream)
        first.addModifiers(percent: 40, from: &stream)
        // The sentence needs something that can be expressed in another form.
        if first.place == nil, first.time == nil { first.time = stream.choice(Lexicon.times) }
        var second = restated(first, from: &stream)
        if !same {
            switch stream.weighted([(Difference.everything, 45), (.details, 30), (.oneWord, 25)]) {
            case .everything: second = different(from: first, &stream)
            case .details: addDetails(to: &second, from: &stream)
            case .oneWord: replaceOneWord(of: &second, from: &stream)
            }
        }
        if stream.chance(50) { swap(&first, &second) }
        return SuiteRow(texts: [first.text, second.text], answer: same ? "1" : "0")
    }

    /// The same content in another form.
    private static func restated(_ clause: Clause, from stream: inout RandomStream) -> Clause {
        var clause = clause
        if clause.place != nil, clause.time == nil || stream.chance(50) {
            clause.preposition = Clause.partner(of: clause.preposition, in: Lexicon.prepositions)
        } else {
            clause.timePosition = clause.timePosition == .front ? .end : .front
        }
        return clause
    }

    /// A sentence of the same shape with other content words.
    private static func different(from clause: Clause, _ stream: inout RandomStream) -> Clause {
        var other = clause
        other.subject = stream.choice(Lexicon.actors, not: clause.subject)
        other.verb = stream.choice(Lexicon.verbs, not: clause.verb)
        other.object = stream.choice(Lexicon.objects, not: clause.object)
        other.adjective = clause.adjective.map { stream.choice(Lexicon.adjectives, not: $0) }
        other.place = clause.place.map { stream.choice(Lexicon.places, not: $0) }
        other.time = clause.time.map { stream.choice(Lexicon.times, not: $0) }
        other.preposition = stream.choice(Lexicon.prepositions)
        other.timePosition = stream.chance(50) ? .front : .end
        return other
    }

    private static func addDetails(to clause: inout Clause, from stream: inout RandomStream) {
        clause.adverb = stream.choice(Lexicon.manners)
        if clause.place == nil { clause.place = stream.choice(Lexicon.places) }
        if clause.time == nil { clause.time = stream.choice(Lexicon.times) }
    }

    private static func replaceOneWord(of clause: inout Clause, from stream: inout RandomStream) {
        switch stream.below(3) {
        case 0: clause.subject = stream.choice(Lexicon.actors, not: clause.subject)
        case 1: clause.verb = stream.choice(Lexicon.verbs, not: clause.verb)
        default: clause.object = stream.choice(Lexicon.objects, not: clause.object)
        }
    }
}
