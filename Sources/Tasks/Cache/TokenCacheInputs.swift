import Failures
public import Tensors
import Text

/// The inputs of a token cache, as they were when the files were read.
public struct TokenCacheInputs: Sendable {
    /// Identifies everything that decides the cache's content.
    public let key: ContentDigest
    /// The rows and files of each task, in the order of the tasks.
    public let sources: [TaskSources]

    /// The identity that the tokens of these inputs will have, as long as it is unknown whether a text contains an added token.
    /// It is `trained` if that is one of the possible identities.
    public func identity(as trained: String) -> String {
        let identities = [false, true].map { TokenCacheKey.identity(key, holdsAddedTokens: $0).hexadecimal }
        return identities.contains(trained) ? trained : identities[0]
    }

    /// Reads all files completely. Throws `inputMissing` for a missing file.
    init(
        _ definitions: [TaskDefinition], _ vocabulary: any Tokenizer, _ options: TokenCacheOptions, threads: Int
    ) throws(Failure) {
        let paths = definitions.flatMap(\.paths)
        let files = try parallelMap(paths.count, threads: threads) { (index) throws(Failure) in
            try ContentDigest.of(file: paths[index])
        }
        try self.init(definitions, files: files, vocabulary, options)
    }

    /// Uses the given digests of the files, in the order of the definitions and their paths.
    init(
        _ definitions: [TaskDefinition], files: [ContentDigest], _ vocabulary: any Tokenizer,
        _ options: TokenCacheOptions
    ) throws(Failure) {
        key = try TokenCacheKey.digest(definitions, files: files, vocabulary, options)
        var rest = files[...]
        var sources: [TaskSources] = []
        for definition in definitions {
            let digests = Dictionary(uniqueKeysWithValues: zip(definition.paths, rest))
            rest = rest.dropFirst(digests.count)
            sources.append(TaskSources(definition) { digests[$0]! })
        }
        self.sources = sources
    }
}
