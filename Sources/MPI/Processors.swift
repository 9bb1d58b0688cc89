import CMPI
public import Failures

/// The logical processors that a thread may run on: its affinity mask.
public struct Processors: Sendable, Equatable {
    /// Bit i % 64 of word i / 64 stands for processor i.
    fileprivate let words: [UInt64]

    private static let none = [UInt64](repeating: 0, count: cmpi_affinity_words)

    /// The processors of the calling thread; none when the kernel does not tell.
    public static var ofThisThread: Processors {
        var words = none
        return unsafe Processors(words: cmpi_affinity(&words) == 0 ? words : none)
    }

    /// Number of processors.
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Lets the calling thread, and the threads that `body` starts, use these processors while `body` runs. If the kernel
    /// refuses them, for example because of a smaller cpuset, the thread keeps its own.
    public func lend<Result>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let before = Self.ofThisThread
        bind()
        defer { before.bind() }
        return try body()
    }

    /// The processor at `index`, which wraps around; none when there are no processors.
    func one(_ index: Int) -> Processors {
        var one = Self.none
        var left = count > 0 ? index % count : 0
        for (word, bits) in words.enumerated() {
            for bit in 0..<64 where bits >> UInt64(bit) & 1 == 1 {
                if left == 0 { one[word] = 1 << UInt64(bit) }
                left -= 1
            }
        }
        return Processors(words: one)
    }

    private func bind() {
        if count > 0 { _ = unsafe cmpi_set_affinity(words) }
    }

    fileprivate init(words: [UInt64]) {
        self.words = words
    }

    fileprivate static func union(_ all: [[UInt64]]) -> Processors {
        Processors(words: all.reduce(none) { union, words in zip(union, words).map { $0 | $1 } })
    }
}

extension Communicator {
    /// The processors that any of these ranks may use, returned on every rank; collective over a node communicator.
    ///
    /// `mpirun` binds each rank to a part of its node; while the other ranks wait (`idleBarrier`), one rank can use all parts.
    public func processors() throws(Failure) -> Processors {
        .union(try allGather(Processors.ofThisThread.words))
    }
}
