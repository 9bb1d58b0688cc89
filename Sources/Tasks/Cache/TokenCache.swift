public import Failures
public import Tensors
public import Text

/// The tokenised tasks of a run: one file, mapped by every rank of a node.
public final class TokenCache: Sendable {
    /// The path of the file.
    public let path: String
    /// Identifies the inputs from which the cache was made.
    public let key: ContentDigest
    /// Identifies the tokenised data. It is the key, or another digest when texts contain added tokens: earlier versions of
    /// this program read these as letters, under the same key.
    public var identity: ContentDigest {
        let holdsAddedTokens = tasks.contains { $0.report.splits.contains { $0.sources.withAddedTokens > 0 } }
        return TokenCacheKey.identity(key, holdsAddedTokens: holdsAddedTokens)
    }
    /// The tasks in the order in which they were given.
    public let tasks: [CachedTask]
    /// Bytes of the file.
    public let byteCount: Int
    private let file: MappedFile
    /// The rows and files from which each task was made; empty for a cache that was opened by its path.
    public let sources: [TaskSources]

    /// Maps a cache and checks all of it: digest, every position and offset, every id and answer.
    ///
    /// - Parameters:
    ///   - key: The key that the cache must have; nil accepts any.
    ///   - end: The id that each text must end with; nil when it is not known.
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
        byteCount = unsafe file.bytes.count
        (self.key, tasks) = contents
    }

    /// What happened to the mapped file since it was opened, worded to follow its path in a sentence; nil when nothing
    /// happened. Another file at the same path does not count: the file's name is derived from its content.
    public var change: String? { file.change(includingReplacement: false) }

    /// The task with that name; throws `badConfiguration` when the cache has none.
    public func task(_ name: String) throws(Failure) -> CachedTask {
        guard let task = tasks.first(where: { $0.name == name }) else {
            throw Failure(
                .badConfiguration,
                "there is no task \"\(name.shown)\"; choose from \(tasks.map(\.name).joined(separator: ", "))")
        }
        return task
    }

    /// The key of a cache of these inputs, from their current content. Throws `inputMissing` for a missing file.
    public static func key(
        tasks: [TaskDefinition], vocabulary: any Tokenizer, options: TokenCacheOptions = TokenCacheOptions(),
        threads: Int = 1
    ) throws(Failure) -> ContentDigest {
        try TokenCacheBuilder.check(tasks, options)
        return try TokenCacheInputs(tasks, vocabulary, options, threads: threads).key
    }

    /// The path of the cache with a key in a directory of caches.
    public static func path(in directory: String, key: ContentDigest) -> String {
        "\(directory)/tokens-\(key.hexadecimal).cache"
    }

    /// Opens the cache of these inputs in a directory; builds it first when it is absent or damaged.
    ///
    /// The name of the file contains the key, so a change of any input leads to another file. Any number of processes may do
    /// this at the same time: each builds the same bytes and renames them into place. `makeDirectory` is called before the
    /// cache is built; opening an existing cache needs no permission to write. `accept` is called with the inputs before
    /// anything is built from them, and may refuse them.
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
            // A file may have been changed in the meantime.
            if builder.key != inputs.key { try accept(builder.inputs) }
            let path = path(in: directory, key: builder.key)
            try makeDirectory()
            try builder.build(at: path)
            return try TokenCache(
                path: path, expecting: builder.key, end: vocabulary.endID, sources: builder.inputs.sources)
        }
    }
}
