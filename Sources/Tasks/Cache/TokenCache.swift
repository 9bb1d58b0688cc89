import Failures
import Tensors
import Text

/// The tokenised tasks of a run: one file, mapped by every rank of a node.
public final class TokenCache: Sendable {
    /// The path of the file.
    public let path: String
    /// Identifies what the cache was made from.
    public let key: ContentDigest
    /// Identifies the tokenised data: the key, or another digest where texts hold added tokens, which programs before this
    /// one read as letters, under the same key.
    public var identity: ContentDigest {
        let holdsAddedTokens = tasks.contains { $0.report.splits.contains { $0.sources.withAddedTokens > 0 } }
        return TokenCacheKey.identity(key, holdsAddedTokens: holdsAddedTokens)
    }
    /// The tasks in the order in which they were given.
    public let tasks: [CachedTask]
    /// Bytes of the file.
    public let byteCount: Int
    private let file: MappedFile
    /// The rows and files of each task that it was made from; empty for a cache that was opened by its path.
    public let sources: [TaskSources]

    /// Maps a cache and checks all of it: digest, every place and offset, every id and answer.
    ///
    /// - Parameters:
    ///   - key: What it must have been made from; nil accepts any.
    ///   - end: The id that each text must end with; nil where that is not known.
    /// - Throws: `inputMissing` when there is no such file, `badData` when it is damaged or made from something else.
    public convenience init(
        path: String, expecting key: ContentDigest? = nil, end: Int32? = nil
    ) throws(Failure) {
        try self.init(path: path, expecting: key, end: end, sources: [])
    }

    private init(
        path: String, expecting key: ContentDigest?, end: Int32?, sources: [TaskSources]
    ) throws(Failure) {
        let file = try MappedFile(path: path, isWatched: true)
        let contents: (key: ContentDigest, tasks: [CachedTask])
        do throws(Failure) {
            contents = try TokenCacheReader(file, end: end).contents()
            if let key, contents.key != key { throw Failure(.badData, "it was made from other inputs") }
        } catch {
            throw Failure(
                error.code,
                "the token cache \(path.shown) cannot be used: \(error.message); delete it to have it rebuilt")
        }
        self.path = path
        self.file = file
        self.sources = sources
        byteCount = file.bytes.count
        (self.key, tasks) = contents
    }

    /// What happened to the mapped file since it was opened, to follow its path in a sentence; nil where nothing did. Another
    /// file in its place is none of it: the content of a cache is its name.
    public var change: String? { file.change(includingReplacement: false) }

    /// The task of that name; `badConfiguration` when the cache has none.
    public func task(_ name: String) throws(Failure) -> CachedTask {
        guard let task = tasks.first(where: { $0.name == name }) else {
            throw Failure(
                .badConfiguration,
                "there is no task \"\(name.shown)\"; choose from \(tasks.map(\.name).joined(separator: ", "))")
        }
        return task
    }

    /// The key of a cache of these inputs, from their content as it is now. Throws `inputMissing` for a missing file.
    public static func key(
        tasks: [TaskDefinition], vocabulary: any Tokenizer, options: TokenCacheOptions = TokenCacheOptions(),
        threads: Int = 1
    ) throws(Failure) -> ContentDigest {
        try TokenCacheBuilder.check(tasks, options)
        return try TokenCacheInputs(tasks, vocabulary, options, threads: threads).key
    }

    /// Where the cache of a key lies in a directory of caches.
    public static func path(in directory: String, key: ContentDigest) -> String {
        "\(directory)/tokens-\(key.hexadecimal).cache"
    }

    /// Opens the cache of these inputs in a directory, building it first when it is absent or damaged.
    ///
    /// The name of the file contains the key, so a change of any input leads to another file. Any number of processes
    /// may do this at the same time: each builds the same bytes and renames them into place. `makeDirectory` is called
    /// before it is built; what is there already needs no right to write. `accept` is told of the inputs before anything is built
    /// of them, and may refuse them.
    public static func openOrBuild(
        tasks: [TaskDefinition], vocabulary: any Tokenizer, options: TokenCacheOptions = TokenCacheOptions(),
        directory: String, threads: Int = 1, makeDirectory: () throws(Failure) -> Void = {},
        accepting accept: (TokenCacheInputs) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> TokenCache {
        try TokenCacheBuilder.check(tasks, options)
        let inputs = try TokenCacheInputs(tasks, vocabulary, options, threads: threads)
        try accept(inputs)
        do throws(Failure) {
            return try TokenCache(
                path: path(in: directory, key: inputs.key), expecting: inputs.key, end: vocabulary.endID,
                sources: inputs.sources)
        } catch {
            let builder = try TokenCacheBuilder(
                tasks: tasks, vocabulary: vocabulary, options: options, threads: threads)
            // A file may have been written meanwhile.
            if builder.key != inputs.key { try accept(builder.inputs) }
            let path = path(in: directory, key: builder.key)
            try makeDirectory()
            try builder.build(at: path)
            return try TokenCache(
                path: path, expecting: builder.key, end: vocabulary.endID, sources: builder.inputs.sources)
        }
    }
}
