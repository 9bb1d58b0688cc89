import Kernels
import Tensors

/// Computes the inner products of all pairs of several gradients on a rank's threads.
///
/// Elements are multiplied in double, block by block; the sums of the blocks are added in order. So the products do not depend on
/// the number of threads.
///
/// Safe, since a source writes no more than the elements that it is asked for.
@safe final class GradientProducts: ThreadWork, @unchecked Sendable {
    // Unchecked: a thread has its own pieces, and its own blocks' sums.

    /// Writes some elements of a gradient.
    typealias Source = (_ vector: Int, _ range: Range<Int>, _ target: UnsafeMutablePointer<Float>) -> Void

    private let threads: WorkerThreads
    private let threadCount: Int
    private let parameters: Int
    private let most: Int
    private let pieces: [Arena]
    private let sums: NumberBuffer<Double>
    private var order: (vectors: Int, source: Source)?

    /// Elements whose products are summed by one thread.
    private static let block = 1 << 16
    /// Elements of each gradient that are unpacked at once; those of all gradients stay in a core's second cache.
    private static let piece = 1 << 12

    /// For at most `most` gradients of `parameters` elements.
    init(parameters: Int, most: Int, threads: WorkerThreads, count: Int) {
        self.parameters = parameters
        self.most = most
        self.threads = threads
        threadCount = count
        pieces = (0..<count).map { _ in Arena(count: most * Self.piece) }
        let blocks = (parameters + Self.block - 1) / Self.block
        sums = NumberBuffer(count: blocks * Self.pairs(most))
    }

    private static func pairs(_ vectors: Int) -> Int { vectors * (vectors + 1) / 2 }

    /// The inner products of `vectors` gradients whose elements `source` writes.
    func callAsFunction(_ vectors: Int, _ source: @escaping Source) -> GradientGram {
        precondition(vectors <= most, "more gradients than there is memory for")
        unsafe sums.elements.update(repeating: 0)
        unsafe order = (vectors, source)
        threads.run(self)
        unsafe order = nil
        var gram = GradientGram(count: vectors)
        let pairs = Self.pairs(vectors)
        for first in stride(from: 0, to: sums.count / Self.pairs(most) * pairs, by: pairs) {
            var place = first
            for i in 0..<vectors {
                for j in i..<vectors {
                    gram[i, j] += sums[place]
                    place += 1
                }
            }
        }
        return gram
    }

    /// One thread's blocks.
    func perform(_ number: Int) {
        guard let (vectors, source) = unsafe order else { return }
        let pairs = Self.pairs(vectors)
        let blocks = (parameters + Self.block - 1) / Self.block
        for block in stride(from: number, to: blocks, by: threadCount) {
            let end = min((block + 1) * Self.block, parameters)
            for start in stride(from: block * Self.block, to: end, by: Self.piece) {
                let range = start..<min(start + Self.piece, end)
                for vector in 0..<vectors {
                    unsafe source(vector, range, pieces[number].base + vector * Self.piece)
                }
                add(range.count, vectors, number, to: block * pairs)
            }
        }
    }

    private func add(_ count: Int, _ vectors: Int, _ number: Int, to first: Int) {
        let base = unsafe pieces[number].base
        var place = first
        for i in 0..<vectors {
            for j in i..<vectors {
                sums[place] += unsafe InnerProduct.of(base + i * Self.piece, base + j * Self.piece, count: count)
                place += 1
            }
        }
    }
}
