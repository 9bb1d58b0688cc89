import Randomness

/// How similar two sentences are, from 0 to 5, like STS-B; the number of shared words is uniformly distributed.
///
/// Both sentences fill five places (adjective, subject, verb, object, place), each with one of ten words. The score is the sum
/// of the weights of the places that agree: subject and verb 1.2, object 1.0, adjective and place 0.8.
///
/// No keyword solves it: every single sentence is equally likely with any score. Only the words that both share count.
enum SimilarityGrammar: SentenceGrammar {
    private static let choices = 10
    /// In tenths: adjective, subject, verb, object, place.
    private static let weights = [8, 12, 12, 10, 8]

    static func row(number: Int, from stream: inout RandomStream) -> SuiteRow {
        let shared = Set(stream.permutation(5).prefix(number % 6).map(Int.init))
        let lists = [Lexicon.adjectives, Lexicon.actors, Lexicon.verbs, Lexicon.objects, Lexicon.places]
            .map { Array($0.prefix(choices)) }
        let first = lists.map { stream.choice($0) }
        let second = lists.indices.map { slot in
            shared.contains(slot) ? first[slot] : stream.choice(lists[slot], not: first[slot])
        }
        let tenths = shared.reduce(0) { $0 + weights[$1] }
        let texts = [first, second].map { words -> String in
            var clause = Clause(from: &stream)
            (clause.adjective, clause.subject, clause.verb) = (words[0], words[1], words[2])
            (clause.object, clause.place) = (words[3], words[4])
            return clause.text
        }
        return SuiteRow(texts: texts, answer: "\(tenths / 10).\(tenths % 10)")
    }
}
