import Configuration
import Failures
import Foundation
import Tasks
import Tensors
import Text

extension RunConfiguration {
    /// What decides the content of the token cache beside files, tasks and vocabulary.
    package var cacheOptions: TokenCacheOptions {
        TokenCacheOptions(reading: readingOptions, maxSource: maxSource)
    }

    /// Opens the token cache of the run's tasks, building it first where it is absent: in `data.cache`, or in the run
    /// directory.
    func openCache(
        _ definitions: [TaskDefinition], _ vocabulary: Vocabulary, of run: RunDirectory, threads: Int
    ) throws(Failure) -> TokenCache {
        guard cache == nil else {
            return try openCache(definitions, vocabulary, in: cachePath(of: run), threads: threads)
        }
        return try openCache(definitions, vocabulary, in: cachePath(of: run), threads: threads) { () throws(Failure) in
            try run.make(.cache)
        }
    }

    /// The directory of the run's token cache.
    func cachePath(of run: RunDirectory) -> String { cache ?? run.path(of: .cache) }

    /// As `openCache(_:_:of:threads:)`, in a directory that the user named.
    package func openCache(
        _ definitions: [TaskDefinition], _ vocabulary: Vocabulary, in directory: String, threads: Int
    ) throws(Failure) -> TokenCache {
        try openCache(definitions, vocabulary, in: directory, threads: threads) { () throws(Failure) in
            guard makeDirectories(directory) else {
                throw Failure(
                    .cannotWrite,
                    "the cache directory \(directory) cannot be created (\(systemMessage(errno))); choose another with "
                        + "data.cache")
            }
        }
    }

    private func openCache(
        _ definitions: [TaskDefinition], _ vocabulary: Vocabulary, in directory: String, threads: Int,
        makeDirectory: () throws(Failure) -> Void
    ) throws(Failure) -> TokenCache {
        try TokenCache.openOrBuild(
            tasks: definitions, vocabulary: vocabulary, options: cacheOptions, directory: directory, threads: threads,
            makeDirectory: makeDirectory)
    }

    /// Digest of which files the tasks have, without a look into them: equal for two processes of a node that would read the
    /// same ones. A file that is not there counts as that.
    func fileIdentity(_ definitions: [TaskDefinition]) -> ContentDigest {
        var text = ""
        for path in definitions.flatMap(\.paths) {
            var status = stat()
            guard stat(path, &status) == 0 else {
                text += "none\n"
                continue
            }
            let time = status.st_mtim
            text += "\(status.st_dev) \(status.st_ino) \(status.st_size) \(time.tv_sec) \(time.tv_nsec)\n"
        }
        return ContentDigest(of: text)
    }
}
