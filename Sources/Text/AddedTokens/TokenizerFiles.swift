import Failures
import Foundation
import Tensors

/// What the files beside `spiece.model` say about tokens that `spiece.model` may lack: `tokenizer_config.json`,
/// `special_tokens_map.json`, `added_tokens.json` and `tokenizer.json`, as transformers writes them. Any of them may be absent.
struct TokenizerFiles {
    /// A token as one of the files names it.
    struct Entry: Equatable {
        var content: String
        /// The token's id; nil when the file only names the token.
        var id: Int?
        var isSpecial: Bool?
        var isNormalised: Bool?
        var isWholeWord = false
        var file: File
    }

    /// The files in order of precedence: for each token, the first file that lists it decides.
    enum File: String, CaseIterable {
        case configuration = "tokenizer_config.json"
        case tokenizer = "tokenizer.json"
        case added = "added_tokens.json"
        case special = "special_tokens_map.json"
    }

    /// The directory, for messages.
    let directory: String
    /// The tokens, in the order of the files.
    private(set) var entries: [Entry] = []
    /// `extra_ids` of `tokenizer_config.json`: the number of sentinels; nil when the file does not say.
    private(set) var extraIDs: Int?
    /// Whether `tokenizer_config.json` names another tokenizer than T5's.
    private(set) var isOtherTokenizer = false
    /// Whether `tokenizer_config.json` lists all added tokens, so that the other files' tokens do not count.
    private(set) var isListed = false

    /// The tokens that the files name for the model's special roles, with the keys.
    private(set) var roles: [(key: String, content: String, file: File)] = []

    /// Stands for a directory without files.
    init() { directory = "" }

    /// Reads the files of a directory; `badData` names the file that is malformed.
    init(directory: String) throws(Failure) {
        self.directory = directory
        for file in File.allCases {
            let path = directory + "/" + file.rawValue
            guard FileManager.default.fileExists(atPath: path) else { continue }
            let content = try MappedFile(path: path)
            try withExtendedLifetime(content) { () throws(Failure) in try unsafe read(content.bytes, as: file) }
        }
    }

    /// Adds the content of a file; `badData` names the file and the place.
    mutating func read(_ bytes: UnsafeRawBufferPointer, as file: File) throws(Failure) {
        do throws(JSONReader.Problem) {
            var reader = unsafe JSONReader(bytes)
            guard bytes.count <= Self.maximumSize else { throw reader.problem("more than \(Self.maximumSize) bytes") }
            switch file {
            case .configuration: try readConfiguration(&reader)
            case .tokenizer: try readTokenizer(&reader)
            case .added: try readAdded(&reader)
            case .special: try readSpecial(&reader)
            }
            if reader.peek() != nil { throw reader.problem("text after the value") }
            guard entries.count <= Self.mostTokens else {
                throw reader.problem("more than \(Self.mostTokens) added tokens")
            }
        } catch {
            throw Failure(
                .badData,
                "\(directory.shown)/\(file.rawValue) cannot be used (byte \(error.offset + 1): \(error.text)); copy it again "
                    + "from where the model comes from, or remove it if the model has no added tokens")
        }
    }

    /// mT5's `tokenizer.json` has 16 MB.
    private static let maximumSize = 1 << 26
    private static let mostTokens = 1 << 18

    private mutating func readConfiguration(_ reader: inout JSONReader) throws(JSONReader.Problem) {
        let value = try object(&reader)
        switch value["extra_ids"] {
        case nil, .null?: break
        case .natural(let count)? where count <= Self.mostTokens: extraIDs = count
        default: throw reader.problem("extra_ids is no count of tokens")
        }
        if case .text(let name)? = value["tokenizer_class"] {
            isOtherTokenizer = !["T5Tokenizer", "T5TokenizerFast", "MT5Tokenizer", "MT5TokenizerFast"].contains(name)
        }
        if case .object(let tokens)? = value["added_tokens_decoder"] {
            isListed = true
            for (key, token) in tokens {
                guard let id = Int(key), id >= 0 else {
                    throw reader.problem("the id \"\(key.shown)\" of added_tokens_decoder is no number")
                }
                entries.append(try entry(token, id: id, file: .configuration, reader))
            }
        }
        try readNames(value, .configuration, reader)
    }

    private mutating func readSpecial(_ reader: inout JSONReader) throws(JSONReader.Problem) {
        try readNames(try object(&reader), .special, reader)
    }

    private mutating func readAdded(_ reader: inout JSONReader) throws(JSONReader.Problem) {
        guard case .object(let tokens) = try object(&reader) else { return }
        for (content, id) in tokens {
            guard !content.isEmpty else { throw reader.problem("an added token has no text") }
            guard case .natural(let id) = id else {
                throw reader.problem("the id of \"\(content.shown)\" is no number")
            }
            entries.append(Entry(content: content, id: id, file: .added))
        }
    }

    private mutating func readTokenizer(_ reader: inout JSONReader) throws(JSONReader.Problem) {
        var seen = false
        guard reader.peek() == UInt8(ascii: "{") else { throw reader.problem("it holds no object") }
        try reader.object { (reader, key) throws(JSONReader.Problem) in
            // The other keys, including the vocabulary, are as large as spiece.model and say the same.
            guard key == "added_tokens" else { return try reader.skipValue() }
            guard !seen else { throw reader.problem("the key \"added_tokens\" occurs twice") }
            seen = true
            guard case .list(let tokens) = try JSONValue(&reader) else {
                throw reader.problem("added_tokens is no list")
            }
            for token in tokens {
                guard case .natural(let id)? = token["id"] else { throw reader.problem("an added token has no id") }
                entries.append(try entry(token, id: id, file: .tokenizer, reader))
            }
        }
    }

    /// Reads names of tokens without ids: `eos_token` and similar keys, and the lists of special tokens.
    private mutating func readNames(
        _ value: JSONValue, _ file: File, _ reader: JSONReader
    ) throws(JSONReader.Problem) {
        guard case .object(let members) = value else { return }
        for (key, value) in members {
            switch (key, value) {
            case ("additional_special_tokens", .list(let tokens)), ("extra_special_tokens", .list(let tokens)):
                for token in tokens { try readName(token, file, reader) }
            case ("extra_special_tokens", .object(let tokens)):
                for (_, token) in tokens { try readName(token, file, reader) }
            case (_, .text), (_, .object):
                if key.hasSuffix("_token") { try readName(value, file, reader, as: key) }
            default: break
            }
        }
    }

    private mutating func readName(
        _ value: JSONValue, _ file: File, _ reader: JSONReader, as key: String = ""
    ) throws(JSONReader.Problem) {
        // An empty name means that the token is not used; some files have `"bos_token": ""`.
        if case .text("") = value { return }
        var entry = try entry(value, id: nil, file: file, reader)
        entry.isSpecial = true
        entry.isNormalised = entry.isNormalised ?? false
        entries.append(entry)
        roles.append((key, entry.content, file))
    }

    private func object(_ reader: inout JSONReader) throws(JSONReader.Problem) -> JSONValue {
        guard reader.peek() == UInt8(ascii: "{") else { throw reader.problem("it holds no object") }
        return try JSONValue(&reader)
    }

    /// A token, written either as its text or as an object with its text and flags.
    private func entry(
        _ value: JSONValue, id: Int?, file: File, _ reader: JSONReader
    ) throws(JSONReader.Problem) -> Entry {
        var entry = Entry(content: "", id: id, file: file)
        switch value {
        case .text(let content): entry.content = content
        case .object(let members):
            for (key, value) in members {
                switch (key, value) {
                case ("content", .text(let content)): entry.content = content
                case ("special", .boolean(let flag)): entry.isSpecial = flag
                case ("normalized", .boolean(let flag)): entry.isNormalised = flag
                case ("single_word", .boolean(let flag)): entry.isWholeWord = flag
                // White space next to a token never gives a piece, so these flags do not matter.
                case ("lstrip", .boolean), ("rstrip", .boolean), ("id", _), ("__type", _), (_, .null): break
                default:
                    throw reader.problem(
                        "the added token \"\(entry.content.shown)\" has \"\(key.shown)\", which is not supported")
                }
            }
        default: throw reader.problem("an added token is neither a text nor an object")
        }
        guard !entry.content.isEmpty else { throw reader.problem("an added token has no text") }
        return entry
    }
}
