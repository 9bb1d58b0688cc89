import Backbones
public import Configuration
public import Failures
import Runs
import Tasks
import Training

/// `tokenise`: the time from the text files of a configuration's tasks to the token cache, and the time to open that.
public struct TokeniseBenchmark {
    /// The measurements; one JSON object.
    public struct Report: Encodable, Sendable {
        var benchmark = "tokenise"
        var threads: Int
        /// Number of source texts; a source with two sentences counts once.
        var texts: Int
        /// Number of their tokens, including the end tokens.
        var tokens: Int
        var cacheMiB: Double
        /// Reading the files: rows, labels, splits and the digests that find leaks.
        var readSeconds: Spread
        /// Tokenising everything and writing the cache.
        var tokeniseSeconds: Spread
        /// Texts per second and thread, over both.
        var textsPerSecondPerCore: Spread
        /// Texts divided by the processor time of both, which depends little on other work on the machine.
        var textsPerProcessorSecond: Spread
        /// Opening the cache: digests of files and cache, all checks.
        var openSeconds: Spread
    }

    private let configuration: RunConfiguration
    private let threads: Int
    private let repeats: Int

    /// Prepares the benchmark for one process.
    public init(_ configuration: RunConfiguration, threads: Int, repeats: Int) {
        self.configuration = configuration
        self.threads = threads
        self.repeats = repeats
    }

    /// Measures in a directory that is removed afterwards.
    public func callAsFunction() throws(Failure) -> Report {
        let definitions = try configuration.definitions()
        let shape = try Backbones.shape(directory: configuration.model)
        let vocabulary = try RunModel.openVocabulary(configuration.model, shape)
        let options = configuration.cacheOptions
        let scratch = try ScratchDirectory()
        var (reads, writes, opens, processor) = ([Double](), [Double](), [Double](), [Double]())
        var cache: TokenCache?
        // The first repetition only brings the files into memory.
        for repetition in 0...repeats {
            var builder: TokenCacheBuilder?
            let begun = ProcessorTime.ofThisProcess
            let read = try seconds { () throws(Failure) in
                builder = try TokenCacheBuilder(
                    tasks: definitions, vocabulary: vocabulary, options: options, threads: threads)
            }
            guard let builder else { break }
            let path = TokenCache.path(in: scratch.path, key: builder.key)
            let write = try seconds { () throws(Failure) in try builder.build(at: path) }
            let used = ProcessorTime.ofThisProcess - begun
            let open = try seconds { () throws(Failure) in
                cache = try configuration.openCache(definitions, vocabulary, in: scratch.path, threads: threads)
            }
            guard repetition > 0 else { continue }
            reads.append(read)
            writes.append(write)
            opens.append(open)
            processor.append(used)
        }
        let splits = cache?.tasks.flatMap(\.splits) ?? []
        let texts = splits.reduce(0) { $0 + $1.count }
        let tokens = splits.reduce(0) { sum, split in
            (0..<split.count).reduce(sum) { unsafe $0 + split.source($1).count }
        }
        return Report(
            threads: threads, texts: texts, tokens: tokens, cacheMiB: Double(cache?.byteCount ?? 0) / 0x1p20,
            readSeconds: Spread(reads), tokeniseSeconds: Spread(writes),
            textsPerSecondPerCore: Spread(zip(reads, writes).map { Double(texts) / ($0 + $1) / Double(threads) }),
            textsPerProcessorSecond: Spread(processor.map { Double(texts) / max($0, 1e-9) }),
            openSeconds: Spread(opens))
    }
}
