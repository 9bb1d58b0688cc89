import Failures
import Tensors

/// The added tokens of a model. Every text is searched for them; SentencePiece encodes the text between them.
struct AddedTokens: Sendable {
    /// The properties of `spiece.model` that the added tokens depend on.
    struct Pieces {
        var count: Int
        var name: (Int32) throws(Failure) -> String
        /// Returns the id of a name; nil when no piece has it.
        var id: (String) -> Int32?
        var normaliser: TextNormaliser
    }

    /// The usable tokens by their ids.
    private(set) var byID: [Int32: AddedToken] = [:]
    /// One more than the largest id of a piece or of a token that a file lists.
    private(set) var idCount: Int
    /// Identifies the added tokens in addition to the digest of `spiece.model`; nil when they are those of every T5.
    private(set) var identity: String?

    private var tokens: [AddedToken] = []
    /// Why a text must not contain the token; nil when it may.
    private var problems: [String?] = []
    private var written = TokenSearch()
    private var normalised = TokenSearch()
    private var writtenTokens: [Int] = []
    private var normalisedTokens: [Int] = []
    private let normaliser: TextNormaliser

    /// The number of sentinels that `T5Tokenizer` adds by default.
    static let defaultSentinels = 100

    /// Combines what the files say. `badData` names a token on which they contradict each other, or whose id is not below
    /// `rows`, the number of rows of the embedding.
    ///
    /// - Parameter rows: nil when the model is not known.
    init(_ files: TokenizerFiles, pieces: Pieces, rows: Int?) throws(Failure) {
        normaliser = pieces.normaliser
        idCount = pieces.count
        try Self.checkRoles(files, pieces)
        let table = try AddedTokenTable(files, pieces: pieces)
        identity = table.identity
        for (token, file) in table.tokens {
            if file != nil { idCount = max(idCount, Int(token.id) + 1) }
            let isBeyond = rows.map { Int(token.id) >= $0 } ?? false
            if isBeyond, let file, !AddedToken.isSentinel(token.content) {
                throw Failure(
                    .badData,
                    "\(files.directory.shown)/\(file.rawValue) has the added token \"\(token.content.shown)\" with id "
                        + "\(token.id), but the model's embedding has only \(rows ?? 0) rows; enlarge the embedding for it "
                        + "(resize_token_embeddings) and save the model again, or take the token out of the file")
            }
            var problem: String?
            let normal = normaliser.normalised(token.content)
            if isBeyond {
                problem =
                    "is token \(token.id) of this tokenizer, and the model's embedding has only \(rows ?? 0) rows"
            } else if token.isNormalised, !normal.utf8.elementsEqual(token.content.utf8) {
                problem =
                    "is an added token that is looked for in the normalised text, where it reads "
                    + "\"\(normal.shown)\"; add it with normalized: false"
            }
            add(token, problem: problem)
        }
        for (content, problem) in table.unusable {
            add(.special(content, id: -1), problem: problem)
        }
    }

    /// Refuses files whose end or padding token differs from this program's.
    private static func checkRoles(_ files: TokenizerFiles, _ pieces: Pieces) throws(Failure) {
        let ids = ["pad_token": SpecialIDs.padding, "eos_token": SpecialIDs.end, "unk_token": SpecialIDs.unknown]
        for (key, content, file) in files.roles {
            guard let id = ids[key] else { continue }
            let own = try pieces.name(id)
            guard !content.utf8.elementsEqual(own.utf8) else { continue }
            throw Failure(
                .badData,
                "\(files.directory.shown)/\(file.rawValue) has \"\(content.shown)\" as \(key), but that of spiece.model is "
                    + "\"\(own.shown)\" (id \(id)), and no other is supported; take both from the same model")
        }
    }

    private mutating func add(_ token: AddedToken, problem: String?) {
        if token.isNormalised, problem == nil {
            normalised.add(token.content, isWholeWord: token.isWholeWord)
            normalisedTokens.append(tokens.count)
        } else {
            written.add(token.content, isWholeWord: token.isWholeWord)
            writtenTokens.append(tokens.count)
        }
        if problem == nil { byID[token.id] = token }
        tokens.append(token)
        problems.append(problem)
    }

    /// A part of a text: either text for SentencePiece or an added token. Unsafe, because it is valid only as long as the text.
    @unsafe enum Part {
        /// Text. `origins` gives, for each of its bytes and for its end, the corresponding byte of the whole text.
        case text(UnsafeRawBufferPointer, origins: Origins)
        case token(AddedToken, end: Int)
    }

    /// Where the bytes of a part come from in the whole text.
    enum Origins {
        case from(Int)
        case each([Int])

        func callAsFunction(_ place: Int) -> Int {
            switch self {
            case .from(let start): start + place
            case .each(let places): places[place]
            }
        }
    }

    /// Whether a text can contain an added token at all; most texts cannot and skip the search.
    func mayOccur(in text: UnsafeRawBufferPointer) -> Bool {
        unsafe written.mayOccur(in: text) || (!normalised.isEmpty && mayOccurNormalised(in: text))
    }

    /// True for the tokens' first bytes, and for every byte that normalisation may change into one.
    private func mayOccurNormalised(in text: UnsafeRawBufferPointer) -> Bool {
        unsafe normalised.mayOccur(in: text) || text.contains { $0 >= 0x7F || $0 < 0x20 }
    }

    /// Calls `body` with the parts of a text in order; returns whether the text contains an added token. Throws `badData` when
    /// it contains a token that this model does not have.
    func forEachPart(
        of text: UnsafeRawBufferPointer, _ body: (Part) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        var (start, holds) = (0, false)
        while let match = unsafe written.next(in: text, from: start) {
            if try unsafe forEachNormalisedPart(of: text, start..<match.range.lowerBound, body) { holds = true }
            try unsafe body(.token(try usable(writtenTokens[match.token]), end: match.range.upperBound))
            (start, holds) = (match.range.upperBound, true)
        }
        return try unsafe forEachNormalisedPart(of: text, start..<text.count, body) || holds
    }

    private func forEachNormalisedPart(
        of text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Part) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard !range.isEmpty else { return false }
        let part = unsafe UnsafeRawBufferPointer(rebasing: text[range])
        guard !normalised.isEmpty, unsafe mayOccurNormalised(in: part) else {
            try unsafe body(.text(part, origins: .from(range.lowerBound)))
            return false
        }
        let (changed, places) = unsafe normaliser.normalised(part)
        let origins = places.map { $0 + range.lowerBound }
        var holds = false
        try unsafe changed.withUnsafeBufferPointer { (buffer) throws(Failure) in
            let bytes = UnsafeRawBufferPointer(buffer)
            var start = 0
            func rest(to end: Int) throws(Failure) {
                guard start < end else { return }
                try unsafe body(
                    .text(
                        UnsafeRawBufferPointer(rebasing: bytes[start..<end]),
                        origins: .each(Array(origins[start...end]))
                    ))
            }
            while let match = unsafe normalised.next(in: bytes, from: start) {
                try rest(to: match.range.lowerBound)
                try unsafe body(
                    .token(try usable(normalisedTokens[match.token]), end: origins[match.range.upperBound]))
                (start, holds) = (match.range.upperBound, true)
            }
            if holds { try rest(to: bytes.count) }
        }
        // Without a match the part is passed on as it was written.
        if !holds { try unsafe body(.text(part, origins: .from(range.lowerBound))) }
        return holds
    }

    private func usable(_ index: Int) throws(Failure) -> AddedToken {
        if let problem = problems[index] {
            throw Failure(
                .badData,
                "the text holds \"\(tokens[index].content.shown)\", which \(problem); change the text, or use a model that "
                    + "has the token")
        }
        return tokens[index]
    }
}
