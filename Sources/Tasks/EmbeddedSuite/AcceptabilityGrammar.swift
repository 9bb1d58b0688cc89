import Randomness

/// Whether a sentence is grammatical, like CoLA: 1 acceptable, 0 not; half of each.
///
/// Acceptable: "these old farmers buy the red table near my river". The other sentences have one defect. Easy defects (80 %)
/// change the number of verbs, nouns or determiners: no verb, a fragment of subject and places, a missing noun, a doubled
/// determiner. Hard defects (20 %) do not: a verb or determiner in the wrong number, or the verb at the end.
///
/// No keyword solves it: every word occurs in sentences of both kinds, since a defect removes, doubles or mismatches any word
/// of a class: 20 forms of verbs, 48 of nouns, 20 determiners, 8 prepositions. A class shows only through all of its words.
enum AcceptabilityGrammar: SentenceGrammar {
    private enum Defect { case noVerb, fragment, noNoun, doubledDeterminer, verbNumber, determinerNumber, verbLast }

    private static let actors = Array(Lexicon.actors.prefix(12))
    private static let objects = Array(Lexicon.objects.prefix(12))
    private static let verbs = Array(Lexicon.verbs.prefix(10))

    private struct NounPhrase {
        var determiners: [String]
        var adjective: String?
        var noun: String?

        init(nouns: [String], plural: Bool, from stream: inout RandomStream) {
            determiners = [AcceptabilityGrammar.determiner(plural: plural, from: &stream)]
            adjective = stream.chance(40) ? stream.choice(Lexicon.adjectives) : nil
            noun = stream.choice(nouns) + (plural ? "s" : "")
        }

        var words: [String] { determiners + [adjective, noun].compactMap { $0 } }
    }

    static func row(number: Int, from stream: inout RandomStream) -> SuiteRow {
        let acceptable = number % 2 == 1
        let defect: Defect? =
            acceptable
            ? nil
            : stream.weighted([
                (.noVerb, 30), (.fragment, 25), (.doubledDeterminer, 15), (.noNoun, 10), (.verbNumber, 8),
                (.determinerNumber, 6), (.verbLast, 6),
            ])
        return SuiteRow(texts: [sentence(defect, from: &stream)], answer: acceptable ? "1" : "0")
    }

    private static func sentence(_ defect: Defect?, from stream: inout RandomStream) -> String {
        let plural = stream.chance(50)
        let objectPlural = stream.chance(50)
        var subject = NounPhrase(nouns: actors, plural: plural, from: &stream)
        var object = NounPhrase(nouns: objects, plural: objectPlural, from: &stream)
        let verb = stream.choice(verbs)
        let verbPlural = plural != (defect == .verbNumber)
        let verbWords = [verbPlural ? String(verb.dropLast()) : verb]
        var places = stream.chance(40) ? place(from: &stream) : []
        let atSubject = stream.chance(50)
        switch defect {
        case .noNoun: if atSubject { subject.noun = nil } else { object.noun = nil }
        case .doubledDeterminer:
            let extra = determiner(plural: atSubject ? plural : objectPlural, from: &stream)
            if atSubject { subject.determiners.append(extra) } else { object.determiners.append(extra) }
        case .determinerNumber:
            // A determiner that fits both numbers would not be a defect.
            if atSubject { subject.determiners = [strictDeterminer(plural: !plural, from: &stream)] }
            if !atSubject { object.determiners = [strictDeterminer(plural: !objectPlural, from: &stream)] }
        case .fragment: places = place(from: &stream) + places
        default: break
        }
        switch defect {
        case .fragment: return (subject.words + places).joined(separator: " ")
        case .noVerb: return (subject.words + object.words + places).joined(separator: " ")
        case .verbLast: return (subject.words + object.words + places + verbWords).joined(separator: " ")
        default: return (subject.words + verbWords + object.words + places).joined(separator: " ")
        }
    }

    private static func place(from stream: inout RandomStream) -> [String] {
        [
            stream.choice(Lexicon.prepositions), stream.choice(Lexicon.freeDeterminers), stream.choice(Lexicon.places),
        ]
    }

    private static func determiner(plural: Bool, from stream: inout RandomStream) -> String {
        stream.chance(50) ? stream.choice(Lexicon.freeDeterminers) : strictDeterminer(plural: plural, from: &stream)
    }

    private static func strictDeterminer(plural: Bool, from stream: inout RandomStream) -> String {
        stream.choice(plural ? Lexicon.pluralDeterminers : Lexicon.singularDeterminers)
    }
}
