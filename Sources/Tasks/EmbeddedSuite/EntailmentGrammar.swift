import Randomness

/// Whether a premise entails a hypothesis, leaves it open or contradicts it, like MNLI; a third of each.
///
/// Entailment: a word is generalised ("farmer" to "person"), or details are dropped. Neutral: the hypothesis has additional
/// details, or is more specific than the premise. Contradiction: it denies the premise ("never", "hardly"), uses the opposite
/// verb, or names the wrong kind ("animal" for "farmer").
///
/// No keyword solves it: words for kinds, details and denials are classes of 22, 36 and 10 words, and each class also occurs
/// where it means something else (a detail that the premise has too, a denial on both sides, a kind in the premise, or the
/// wrong kind). Many words together do help, as in MNLI itself: a linear model of all words reaches about 75 %, one that
/// distinguishes premise and hypothesis about 94 %.
enum EntailmentGrammar: SentenceGrammar {
    static let classes = ["entailment", "neutral", "contradiction"]

    private enum Change {
        case generalise, drop, bothDenied
        case addDetails, specialise
        case deny, opposite, wrongKind
    }

    static func row(number: Int, from stream: inout RandomStream) -> SuiteRow {
        let label = number % 3
        var premise = Clause(from: &stream)
        premise.addModifiers(percent: 35, from: &stream)
        if stream.chance(15) { premise.adverb = stream.choice(Lexicon.manners) }
        var hypothesis = premise
        let options: [[(Change, Int)]] = [
            [(.generalise, 60), (.drop, 30), (.bothDenied, 10)],
            [(.addDetails, 75), (.specialise, 25)],
            [(.deny, 65), (.opposite, 20), (.wrongKind, 15)],
        ]
        apply(stream.weighted(options[label]), premise: &premise, hypothesis: &hypothesis, from: &stream)
        return SuiteRow(texts: [premise.text, hypothesis.text], answer: classes[label])
    }

    private static func apply(
        _ change: Change, premise: inout Clause, hypothesis: inout Clause, from stream: inout RandomStream
    ) {
        switch change {
        case .generalise:
            generalise(&hypothesis, from: &stream)
            dropDetails(of: &hypothesis, from: &stream)
        case .drop:
            if premise.adjective == nil, premise.place == nil, premise.time == nil {
                premise.adjective = stream.choice(Lexicon.adjectives)
            }
            hypothesis.adjective = nil
            hypothesis.place = nil
            hypothesis.time = nil
        case .bothDenied:
            premise.adverb = stream.choice(Lexicon.negators)
            hypothesis.adverb = stream.choice(Lexicon.negators)
        case .addDetails: addDetails(to: &hypothesis, from: &stream)
        case .specialise: generalise(&premise, from: &stream)
        case .deny:
            hypothesis.adverb = stream.choice(Lexicon.negators)
            dropDetails(of: &hypothesis, from: &stream)
        case .opposite: hypothesis.verb = Clause.partner(of: premise.verb, in: Lexicon.verbs)
        case .wrongKind:
            let isPerson = Lexicon.people.members.contains(premise.subject)
            hypothesis.subject = stream.choice((isPerson ? Lexicon.animals : Lexicon.people).names)
        }
    }

    private static func generalise(_ clause: inout Clause, from stream: inout RandomStream) {
        let objectOnly = stream.chance(40)
        if !objectOnly {
            let kind = Lexicon.people.members.contains(clause.subject) ? Lexicon.people : Lexicon.animals
            clause.subject = stream.choice(kind.names)
        }
        if objectOnly || stream.chance(50) {
            let object = clause.object
            for kind in Lexicon.things where kind.members.contains(object) {
                clause.object = stream.choice(kind.names)
            }
        }
    }

    private static func dropDetails(of clause: inout Clause, from stream: inout RandomStream) {
        if stream.chance(50) { clause.adjective = nil }
        if stream.chance(50) { clause.place = nil }
        if stream.chance(50) { clause.time = nil }
    }

    private static func addDetails(to clause: inout Clause, from stream: inout RandomStream) {
        let before = clause
        if clause.adverb == nil { clause.adverb = stream.choice(Lexicon.manners) }
        if stream.chance(50) {
            clause.place = clause.place ?? stream.choice(Lexicon.places)
        } else {
            clause.time = clause.time ?? stream.choice(Lexicon.times)
        }
        // If the premise already has everything, it gets a different place.
        if clause == before { clause.place = stream.choice(Lexicon.places, not: clause.place ?? "") }
    }
}
