/// The words of the embedded suite, by part of speech; about 300 in all.
///
/// Classes are large on purpose: a cue that any word of a class gives makes each single word a weak keyword.
enum Lexicon {
    /// A kind of thing: words for its members and words for the kind itself.
    struct Kind: Sendable {
        let members: [String]
        let names: [String]
    }

    static let people = Kind(
        members: words("farmer doctor teacher pilot singer painter sailor baker dancer driver writer tailor"),
        names: words("person human worker adult citizen"))
    static let animals = Kind(
        members: words("horse tiger eagle rabbit monkey turtle lion parrot camel spider goat duck"),
        names: words("animal creature beast being organism"))
    static let things: [Kind] = [
        Kind(members: words("table chair shelf bench"), names: words("furniture furnishing")),
        Kind(members: words("hammer ladder shovel bucket"), names: words("tool implement")),
        Kind(members: words("apple lemon carrot onion"), names: words("food produce")),
        Kind(members: words("shirt jacket coat hat"), names: words("garment clothing")),
        Kind(members: words("guitar piano violin trumpet"), names: words("instrument noisemaker")),
        Kind(members: words("boat truck wagon canoe"), names: words("vehicle transport")),
    ]
    static let actors = people.members + animals.members
    static let objects = things.flatMap(\.members)

    /// Third person singular; without the final s it is the plural. Neighbours (0 and 1, 2 and 3, ...) are opposites.
    static let verbs = words(
        "buys sells takes brings lifts drops hides shows opens closes finds loses cleans soils mends breaks")
    static let adjectives = words(
        "old young tall small red green blue white quiet tired busy heavy famous local friendly hungry")
    static let places = words(
        "garden kitchen market forest river village harbour station museum castle valley island")
    /// Neighbours (0 and 1, 2 and 3, ...) mean the same.
    static let prepositions = words("in inside near beside past beyond over above")
    static let times = words("today tonight daily often again early late now sometimes always")
    static let manners = words(
        "slowly quickly gently loudly calmly proudly secretly happily carefully gladly eagerly boldly neatly bravely")
    /// Adverbs that turn a statement into its opposite.
    static let negators = words("never hardly barely scarcely rarely seldom almost nearly nowhere falsely")

    static let singularDeterminers = words("this that each every one another")
    static let pluralDeterminers = words("these those many several few both")
    static let freeDeterminers = words("the my your our their his her some")

    static let praise = words(
        """
        good great lovely superb charming moving brilliant delightful funny clever warm honest fresh splendid graceful \
        gripping elegant witty
        """)
    static let blame = words(
        """
        bad awful boring dull clumsy dreadful tedious shallow silly stale weak lazy messy lifeless annoying hollow \
        pointless ugly
        """)
    static let works = words("film story book song play novel album scene plot concert poem series")
    static let parts = words("music dialogue ending acting writing humour rhythm pace style voice")
    static let intensifiers = words("very truly rather quite really simply")

    /// The words of a list in one string.
    private static func words(_ list: String) -> [String] { list.split(separator: " ").map(String.init) }
}
