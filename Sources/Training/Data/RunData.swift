package import Configuration
package import Failures
import Foundation
package import MPI
package import Runs
package import Tasks
import Tensors
package import Text

/// The tokenised examples of a run's tasks, in a cache file that the ranks of a node map and share.
package struct RunData: TrainingExamples {
    /// The mapped cache.
    package let cache: TokenCache
    private let training: [CachedSplit]

    /// Digest of everything that the examples depend on.
    var digest: String { cache.identity.hexadecimal }
    /// The rows and files of the tasks.
    let sources: [TaskSources]

    /// Opens the token cache, building it first if it is absent; collective.
    ///
    /// Rank 0 goes first, then the first rank of every node (whose cache directory may be its own), then the others, so that
    /// nothing is tokenised twice. The rank that works has the cores of all ranks of its node. Among the ranks of a node that
    /// name the same files, only the first one reads them; the others rely on its result. `accept` is called with the inputs on
    /// rank 0 before they are tokenised, and may refuse them. Tasks that are only evaluated (`isTrained` is false) need no training
    /// examples.
    package init(
        _ configuration: RunConfiguration, _ definitions: [TaskDefinition], run: RunDirectory,
        vocabulary: any Tokenizer,
        world: Communicator, isTrained: Bool = true,
        accepting accept: @escaping (TokenCacheInputs) throws(Failure) -> Void = { _ in }
    ) throws(Failure) {
        let directory = configuration.cachePath(of: run)
        let open = { () throws(Failure) -> TokenCache in
            let threads = AvailableCores.ofThisProcess().count
            return try configuration.openCache(definitions, vocabulary, of: run, threads: threads) {
                (inputs) throws(Failure) in
                if world.rank == 0 { try accept(inputs) }
            }
        }
        let node = try world.nodeCommunicator()
        let processors = try node.processors()
        var cache: TokenCache? = world.rank == 0 ? try processors.lend(open) : nil
        try world.idleBarrier()
        if cache == nil, node.rank == 0 { cache = try processors.lend(open) }
        try world.idleBarrier()
        let inputs = configuration.fileIdentity(definitions).words + vocabulary.digest.words
        let first = try node.allGather(inputs + (cache?.key.words ?? [0, 0]))[0]
        if cache == nil, Array(first[..<4]) == inputs {
            let key = ContentDigest(words: (first[4], first[5]))
            // If this rank does not find such a cache, it must read the files itself.
            cache = try? TokenCache(
                path: TokenCache.path(in: directory, key: key), expecting: key, end: vocabulary.endID)
        }
        if cache == nil { cache = try open() }
        guard let cache else { throw Failure(.internal, "the token cache was not opened") }
        self.cache = cache
        sources = try world.share(cache.sources, "the files of the tasks")
        try node.free()
        var training: [CachedSplit] = []
        for task in self.cache.tasks where isTrained {
            guard let split = task.split(.train), split.count > 0 else {
                throw Failure(
                    .badData, "task \(task.name) has no training examples; give it some or leave it out of tasks")
            }
            training.append(split)
        }
        self.training = training
    }

    package func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> { unsafe training[task].source(example) }
    package func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> { unsafe training[task].target(example) }

    /// A split of a task; nil when the task has none or it is empty.
    func split(task: Int, _ name: SplitName) -> CachedSplit? {
        cache.tasks[task].split(name).flatMap { $0.count > 0 ? $0 : nil }
    }

    /// Number of training examples.
    package func trainingCount(task: Int) -> Int { training[task].count }

    /// The groups of a split's examples; nil without groups.
    func groups(task: Int, _ name: SplitName) -> [Int]? {
        guard let split = split(task: task, name), split.group(0) != nil else { return nil }
        return (0..<split.count).compactMap(split.group)
    }

    /// Gold answers of a split of a task.
    func gold(task: Int, _ name: SplitName) -> [GoldAnswer] {
        guard let split = split(task: task, name) else { return [] }
        return (0..<split.count).map(split.gold)
    }
}
