import Tensors

/// The tokenised examples of one split, in the mapped memory of the cache.
///
/// Pointers that it returns are valid as long as the split, or the cache that it comes from, is alive. Everything else is safe: the
/// split keeps its memory mapped and checks every index.
@safe public struct CachedSplit: @unchecked Sendable {
    // Unchecked: the pointers lead into a read-only mapping that `file` keeps alive.
    private let file: MappedFile
    private let sources: CachedLists
    private let targets: CachedLists
    private let golds: UnsafePointer<Double>
    private let origins: UnsafePointer<UInt32>
    private let answers: AnswerSpace

    /// The split.
    public let name: SplitName
    /// The name of the split's figures if it says more than `name`.
    public let label: String?
    /// The number of examples.
    public let count: Int
    /// The longest source in tokens, EOS included.
    public let longestSource: Int

    init(
        _ entry: TokenCacheHeader.Split, _ file: MappedFile, sources: CachedLists, targets: CachedLists,
        golds: UnsafePointer<Double>, origins: UnsafePointer<UInt32>, answers: AnswerSpace
    ) {
        (name, label, count, longestSource) = (entry.name, entry.label, entry.sources.count, entry.longestSource)
        unsafe (self.file, self.sources, self.targets) = (file, sources, targets)
        unsafe (self.golds, self.origins, self.answers) = (golds, origins, answers)
    }

    /// The source ids of example `index`, EOS included.
    public func source(_ index: Int) -> UnsafeBufferPointer<Int32> { unsafe sources[index] }

    /// The target ids of example `index`, EOS included.
    public func target(_ index: Int) -> UnsafeBufferPointer<Int32> {
        unsafe targets[answers.targetIndex(of: gold(index))]
    }

    /// The lengths of all sources as the model reads them, in time proportional to their number.
    public var sourceLengths: TokenLengths { TokenLengths((0..<count).lazy.map { unsafe source($0).count }) }

    /// The lengths of the targets of all examples.
    public var targetLengths: TokenLengths { TokenLengths((0..<count).lazy.map { unsafe target($0).count }) }

    /// The gold answer of example `index`: the class or the raw score.
    public func gold(_ index: Int) -> GoldAnswer {
        precondition((0..<count).contains(index), "example out of range")
        switch answers {
        case .classes: return unsafe .label(Int(golds[index]))
        case .grades: return unsafe .score(golds[index])
        }
    }

    /// The file of example `index`, as an index into the task's files, and its line from 1.
    public func origin(_ index: Int) -> (file: Int, line: Int) {
        precondition((0..<count).contains(index), "example out of range")
        return unsafe (Int(origins[2 * index]), Int(origins[2 * index + 1]))
    }
}

/// Lists of ids in the mapped memory. Unsafe, because it does not keep the memory mapped.
@unsafe struct CachedLists {
    let offsets: UnsafePointer<UInt64>
    let ids: UnsafePointer<Int32>
    @safe let count: Int

    /// The length of the longest list.
    var longest: Int { (0..<count).reduce(0) { unsafe max($0, Int(offsets[$1 + 1] - offsets[$1])) } }

    subscript(index: Int) -> UnsafeBufferPointer<Int32> {
        precondition((0..<count).contains(index), "list out of range")
        let start = unsafe Int(offsets[index])
        return unsafe UnsafeBufferPointer(start: ids + start, count: Int(offsets[index + 1]) - start)
    }
}
