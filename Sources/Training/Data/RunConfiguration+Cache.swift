import Configuration
package import Failures
import Foundation
package import Runs
package import Tasks
import Tensors
package import Text

extension RunConfiguration {
    /// The options that decide the content of the token cache, in addition to files, tasks and vocabulary.
    package var cacheOptions: TokenCacheOptions {
        TokenCacheOptions(reading: readingOptions, maxSource: maxSource, maxTarget: maxTarget)
    }

    /// Opens the token cache of the run's tasks in `data.cache` or in the run directory; builds it first if it is absent.
    /// `accept` may refuse the inputs from which it would be built.
    func openCache(
        _ definitions: [TaskDefinition], _ vocabulary: any Tokenizer, of run: RunDirectory, threads: Int,
        accepting accept: (TokenCacheInputs) throws(Failure) -> Void
    ) throws(Failure) -> TokenCache {
        let directory = cachePath(of: run)
        return try openCache(
            definitions, vocabulary, in: directory, threads: threads,
            makeDirectory: { () throws(Failure) in
                if cache == nil { try run.make(.cache) } else { try Self.makeCacheDirectory(directory) }
            }, accepting: accept)
    }

    /// The directory of the run's token cache.
    package func cachePath(of run: RunDirectory) -> String { cache ?? run.path(of: .cache) }

    /// Like `openCache(_:_:of:threads:accepting:)`, in a directory that the user named.
    package func openCache(
        _ definitions: [TaskDefinition], _ vocabulary: any Tokenizer, in directory: String, threads: Int
    ) throws(Failure) -> TokenCache {
        try openCache(
            definitions, vocabulary, in: directory, threads: threads,
            makeDirectory: { () throws(Failure) in try Self.makeCacheDirectory(directory) }, accepting: { _ in })
    }

    private static func makeCacheDirectory(_ directory: String) throws(Failure) {
        guard makeDirectories(directory) else {
            throw Failure(
                .cannotWrite,
                "the cache directory \(directory) cannot be created (\(systemMessage(errno))); choose another with "
                    + "data.cache")
        }
    }

    private func openCache(
        _ definitions: [TaskDefinition], _ vocabulary: any Tokenizer, in directory: String, threads: Int,
        makeDirectory: () throws(Failure) -> Void, accepting accept: (TokenCacheInputs) throws(Failure) -> Void
    ) throws(Failure) -> TokenCache {
        try TokenCache.openOrBuild(
            tasks: definitions, vocabulary: vocabulary, options: cacheOptions, directory: directory, threads: threads,
            makeDirectory: makeDirectory, accepting: accept)
    }

    /// Digest of the identity of the tasks' files, whose content is not read: equal for two processes of a node that would read
    /// the same files. A missing file has an identity of its own.
    func fileIdentity(_ definitions: [TaskDefinition]) -> ContentDigest {
        var text = ""
        for path in definitions.flatMap(\.paths) {
            text += FileIdentity(status: path)?.text ?? "none\n"
        }
        return ContentDigest(of: text)
    }
}
