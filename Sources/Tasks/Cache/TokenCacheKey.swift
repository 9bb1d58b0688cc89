import Failures
import Foundation
import Tensors
import Text

/// The digest of everything that decides the content of a cache.
enum TokenCacheKey {
    private struct Content: Encodable {
        let version: UInt64
        let vocabulary: ContentDigest
        let options: TokenCacheOptions
        /// Each file is represented by its name and digest instead of its path, so that data may move.
        let tasks: [TaskDefinition]
        /// Changes when objects with many rows are divided in another way. Nil, which leaves no trace in the key, without such tasks.
        let wholeObjects: Bool?
    }

    /// Computes the key from the digests of the files, in the order of the definitions and their paths.
    static func digest(
        _ definitions: [TaskDefinition], files: [ContentDigest], _ vocabulary: any Tokenizer,
        _ options: TokenCacheOptions
    ) throws(Failure) -> ContentDigest {
        var rest = files[...]
        var tasks: [TaskDefinition] = []
        for definition in definitions {
            let digests = Dictionary(uniqueKeysWithValues: zip(definition.paths, rest))
            rest = rest.dropFirst(digests.count)
            tasks.append(
                try definition.mapPaths { path in
                    "\(path.split(separator: "/").last ?? "") \(digests[path]!)"
                })
        }
        let content = Content(
            version: TokenCacheFormat.version, vocabulary: vocabulary.digest, options: options, tasks: tasks,
            wholeObjects: tasks.contains { $0.format.hasRowsInObjects } ? true : nil)
        let data = try StableJSON.line(content, "the description of the tasks")
        return unsafe data.withUnsafeBytes { unsafe ContentDigest(of: $0) }
    }

    /// The identity of the tokens that the inputs of a key become: earlier versions of this program read added tokens as
    /// letters, under the same key.
    static func identity(_ key: ContentDigest, holdsAddedTokens: Bool) -> ContentDigest {
        holdsAddedTokens ? ContentDigest(of: "\(key.hexadecimal) with added tokens") : key
    }
}
