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
    private let texts: CachedTexts?
    private let groupNumbers: UnsafePointer<UInt32>?
    private let answers: AnswerSpace

    /// The split.
    public let name: SplitName
    /// The name of the split's figures if it says more than `name`.
    public let label: String?
    /// The number of examples.
    public let count: Int
    /// The longest source in tokens, EOS included.
    public let longestSource: Int
    /// The longest target in tokens, EOS included, of a task with free text; 0 for others, whose targets are the task's.
    let longestTarget: Int

    /// `targets` has the targets of the task, or, for free text, those of the examples.
    init(
        _ entry: TokenCacheHeader.Split, _ file: MappedFile, sources: CachedLists, targets: CachedLists,
        golds: UnsafePointer<Double>, origins: UnsafePointer<UInt32>, texts: CachedTexts?,
        groups: UnsafePointer<UInt32>?, answers: AnswerSpace
    ) {
        (name, label, count, longestSource) = (entry.name, entry.label, entry.sources.count, entry.longestSource)
        longestTarget = entry.texts?.longestTarget ?? 0
        unsafe (self.file, self.sources, self.targets) = (file, sources, targets)
        unsafe (self.golds, self.origins, self.texts, self.answers) = (golds, origins, texts, answers)
        unsafe groupNumbers = groups
    }

    /// The source ids of example `index`, EOS included.
    public func source(_ index: Int) -> UnsafeBufferPointer<Int32> { unsafe sources[index] }

    /// The target ids of example `index`, EOS included.
    public func target(_ index: Int) -> UnsafeBufferPointer<Int32> {
        unsafe targets[answers == .texts ? index : answers.targetIndex(of: gold(index))]
    }

    /// The lengths of all sources as the model reads them, in time proportional to their number.
    public var sourceLengths: TokenLengths { TokenLengths((0..<count).lazy.map { unsafe source($0).count }) }

    /// The lengths of the targets of all examples.
    public var targetLengths: TokenLengths { TokenLengths((0..<count).lazy.map { unsafe target($0).count }) }

    /// The gold answer of example `index`: the class, the raw score, or the texts that are right.
    public func gold(_ index: Int) -> GoldAnswer {
        precondition((0..<count).contains(index), "example out of range")
        switch answers {
        case .classes: return unsafe .label(Int(golds[index]))
        case .grades: return unsafe .score(golds[index])
        case .texts:
            let end = unsafe index + 1 < count ? Int(golds[index + 1]) : texts?.count ?? 0
            return unsafe .texts((Int(golds[index])..<end).compactMap { unsafe texts?[$0] })
        }
    }

    /// The group of example `index`, a number below the number of examples; nil in a task without groups.
    public func group(_ index: Int) -> Int? {
        precondition((0..<count).contains(index), "example out of range")
        return unsafe groupNumbers.map { unsafe Int($0[index]) }
    }

    /// The classes or raw scores of all examples of a task without free text, as numbers.
    var numbers: some Sequence<Double> { (0..<count).lazy.map { unsafe golds[$0] } }

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

/// Texts in the mapped memory. Unsafe, because it does not keep the memory mapped.
@unsafe struct CachedTexts {
    let ends: UnsafePointer<UInt64>
    let utf8: UnsafePointer<UInt8>
    @safe let count: Int

    subscript(index: Int) -> String {
        precondition((0..<count).contains(index), "text out of range")
        let start = unsafe index > 0 ? Int(ends[index - 1]) : 0
        return unsafe String(
            decoding: UnsafeBufferPointer(start: utf8 + start, count: Int(ends[index]) - start), as: UTF8.self)
    }
}
