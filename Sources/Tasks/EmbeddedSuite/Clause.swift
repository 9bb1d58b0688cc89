import Randomness

/// A simple statement: "[time] the [adjective] subject [adverb] verb the object [preposition the place] [time]".
struct Clause: Equatable {
    /// Where the time is in the sentence.
    enum TimePosition { case front, end }

    var adjective: String?
    var subject: String
    /// An adverb of manner, or a negator.
    var adverb: String?
    var verb: String
    var object: String
    var preposition: String
    var place: String?
    var time: String?
    var timePosition = TimePosition.end

    /// Creates a clause with random subject, verb and object and nothing else.
    init(from stream: inout RandomStream) {
        subject = stream.choice(Lexicon.actors)
        verb = stream.choice(Lexicon.verbs)
        object = stream.choice(Lexicon.objects)
        preposition = stream.choice(Lexicon.prepositions)
    }

    /// Adds each of adjective, place and time with a probability of `percent`.
    mutating func addModifiers(percent: Int, from stream: inout RandomStream) {
        if stream.chance(percent) { adjective = stream.choice(Lexicon.adjectives) }
        if stream.chance(percent) { place = stream.choice(Lexicon.places) }
        if stream.chance(percent) {
            time = stream.choice(Lexicon.times)
            timePosition = stream.chance(50) ? .front : .end
        }
    }

    /// The sentence.
    var text: String {
        var words: [String] = []
        if let time, timePosition == .front { words.append(time) }
        words.append("the")
        if let adjective { words.append(adjective) }
        words.append(subject)
        if let adverb { words.append(adverb) }
        words += [verb, "the", object]
        if let place { words += [preposition, "the", place] }
        if let time, timePosition == .end { words.append(time) }
        return words.joined(separator: " ")
    }

    /// The other member of a pair of neighbours in a list: the other verb, adjective, preposition and so on.
    static func partner(of word: String, in list: [String]) -> String {
        guard let index = list.firstIndex(of: word) else { return word }
        return list[index ^ 1]
    }
}
