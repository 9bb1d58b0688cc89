import Failures
import Tensors

/// The added tokens of a model, from the defaults of `T5Tokenizer` and from the model's files; contents and ids are unique.
///
/// Where versions of transformers differ, the ids are those that the files state, as versions before 5 read them. The same rule
/// decides which tokens decoding omits.
struct AddedTokenTable {
    /// The tokens, and the file that lists each; nil for tokens that every T5 has.
    private(set) var tokens: [(token: AddedToken, file: TokenizerFiles.File?)] = []
    /// Names that no text may contain, and why.
    private(set) var unusable: [(content: String, problem: String)] = []
    /// A text that describes the tokens; nil when they are those of every T5.
    private(set) var identity: String?

    private let files: TokenizerFiles
    private let pieces: AddedTokens.Pieces
    private var indexOfContent: [[UInt8]: Int] = [:]
    private var indexOfID: [Int32: Int] = [:]
    /// Contents that some file names as special.
    private let named: Set<[UInt8]>

    init(_ files: TokenizerFiles, pieces: AddedTokens.Pieces) throws(Failure) {
        self.files = files
        self.pieces = pieces
        named = Set(files.entries.lazy.filter { $0.id == nil }.map { Array($0.content.utf8) })
        for id in [SpecialIDs.padding, SpecialIDs.end, SpecialIDs.unknown] {
            let name = try pieces.name(id)
            if !name.isEmpty { insert(.special(name, id: id), nil) }
        }
        let own = tokens.count
        let hasSentinels = ["", "\u{2581}"].contains { pieces.id($0 + AddedToken.sentinel(0)) != nil }
        let usual = hasSentinels ? 0 : AddedTokens.defaultSentinels
        let listsSentinels = files.entries.contains { $0.id != nil && AddedToken.isSentinel($0.content) }
        let count = files.extraIDs ?? (listsSentinels || files.isOtherTokenizer ? 0 : usual)
        for number in 0..<count {
            let id = Int32(clamping: pieces.count + count - 1 - number)
            insert(.special(AddedToken.sentinel(number), id: id), nil)
        }
        for entry in files.entries where entry.id != nil { try add(entry) }
        for entry in files.entries where entry.id == nil { addName(entry) }
        let text = Self.text(tokens.map(\.token))
        let plain = Self.text(
            tokens[..<own].map { .special($0.token.content, id: $0.token.id) }
                + (0..<usual).map {
                    .special(AddedToken.sentinel($0), id: Int32(clamping: pieces.count + usual - 1 - $0))
                })
        identity = text == plain ? nil : text
    }

    private mutating func insert(_ token: AddedToken, _ file: TokenizerFiles.File?) {
        indexOfContent[Array(token.content.utf8)] = tokens.count
        indexOfID[token.id] = tokens.count
        tokens.append((token, file))
    }

    /// Adds a token to which a file gives an id.
    private mutating func add(_ entry: TokenizerFiles.Entry) throws(Failure) {
        guard let number = entry.id else { return }
        func refusal(_ problem: String) -> Failure {
            Failure(
                .badData,
                "\(files.directory.shown)/\(entry.file.rawValue) gives the added token \"\(entry.content.shown)\" the id "
                    + "\(number), but \(problem); take all files of the tokenizer from one model")
        }
        guard let id = Int32(exactly: number) else { throw refusal("no model has as many rows") }
        let known = indexOfContent[Array(entry.content.utf8)]
        if let known, tokens[known].token.id != id {
            throw refusal(
                "\(tokens[known].file?.rawValue ?? "T5's tokenizer") gives it the id \(tokens[known].token.id)")
        }
        if known == nil, let other = indexOfID[id] {
            let (token, file) = tokens[other]
            throw refusal("\(file?.rawValue ?? "T5's tokenizer") has \"\(token.content.shown)\" there")
        }
        if known == nil {
            if number < pieces.count {
                let piece = try pieces.name(id)
                guard
                    [entry.content, "\u{2581}" + entry.content].contains(where: { $0.utf8.elementsEqual(piece.utf8) })
                else { throw refusal("spiece.model has \"\(piece.shown)\" there") }
            } else if let piece = pieces.id(entry.content) {
                throw refusal("it is piece \(piece) of spiece.model")
            }
            guard entry.file == .configuration || !files.isListed else {
                unusable.append(
                    (
                        entry.content,
                        "is an added token of \(entry.file.rawValue) that tokenizer_config.json does not list"
                    ))
                return
            }
        }
        let isNamed = named.contains(Array(entry.content.utf8))
        // The entry of the earlier file stays valid.
        if let known, tokens[known].file != nil {
            if isNamed { tokens[known].token.isSpecial = true }
            return
        }
        let isSpecial = isNamed || entry.isSpecial ?? (known.map { tokens[$0].token.isSpecial } ?? false)
        let token = AddedToken(
            content: entry.content, id: id, isSpecial: isSpecial, isNormalised: entry.isNormalised ?? !isSpecial,
            isWholeWord: entry.isWholeWord)
        if let known {
            tokens[known] = (token, entry.file)
        } else {
            insert(token, entry.file)
        }
    }

    /// Adds a token that a file only names: it must already be in the table or be a piece.
    private mutating func addName(_ entry: TokenizerFiles.Entry) {
        guard indexOfContent[Array(entry.content.utf8)] == nil else { return }
        if let id = pieces.id(entry.content), indexOfID[id] == nil {
            insert(
                AddedToken(
                    content: entry.content, id: id, isSpecial: true, isNormalised: entry.isNormalised ?? false,
                    isWholeWord: entry.isWholeWord), entry.file)
            return
        }
        unusable.append(
            (
                entry.content,
                "is a special token of \(entry.file.rawValue) to which no file gives an id; save the tokenizer and the model "
                    + "again with transformers"
            ))
    }

    private static func text(_ tokens: [AddedToken]) -> String {
        tokens.sorted { $0.id < $1.id }.map {
            "\($0.id) \($0.isSpecial) \($0.isNormalised) \($0.isWholeWord) \($0.content.utf8.count) \($0.content)\n"
        }.joined()
    }
}
