public import Failures
import Foundation
import Randomness
import Tensors
import Training

/// Source and target lengths of examples, in tokens including the end token: `[[source, target], ...]` as JSON.
public struct TokenLengths: Sendable {
    /// Length of each example.
    public let pairs: [(source: Int, target: Int)]

    /// Reads a file; throws `inputMissing` when there is none, `badData` when it has another content.
    public init(path: String) throws(Failure) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(
                .inputMissing, "\(path) cannot be read; --lengths names a JSON file of [source, target] pairs")
        }
        guard let lists = try? JSONDecoder().decode([[Int]].self, from: data), !lists.isEmpty,
            lists.allSatisfy({ $0.count == 2 && $0[0] >= 1 && $0[1] >= 1 && max($0[0], $0[1]) <= 100_000 })
        else {
            throw Failure(.badData, "\(path) is not a JSON list of [source, target] token counts from 1 to 100000")
        }
        pairs = lists.map { (source: $0[0], target: $0[1]) }
    }

    init(_ pairs: [(source: Int, target: Int)]) { self.pairs = pairs }

    /// At most `limit` examples, evenly spread over all.
    func spread(over limit: Int) -> TokenLengths {
        TokenLengths(evenlySpread(limit, over: pairs.count).map { pairs[$0] })
    }

    /// The longest source or target.
    public var longest: Int { pairs.reduce(1) { max($0, $1.source, $1.target) } }
}

/// At most `limit` of the indices 0 ..< `count`, in ascending order and evenly spread.
func evenlySpread(_ limit: Int, over count: Int) -> [Int] {
    let chosen = min(limit, count)
    return (0..<chosen).map { $0 * count / chosen }
}

/// Examples of given lengths with random tokens, the same in every task.
///
/// The lists that it returns are valid as long as this object.
final class RandomExamples: TrainingExamples {
    private let tokens: NumberBuffer<Int32>
    private let lengths: TokenLengths

    init(_ lengths: TokenLengths, vocabulary: Int, seed: UInt64) {
        self.lengths = lengths
        tokens = NumberBuffer(count: 4 * lengths.longest + 4096)
        var stream = RandomStream(seed: seed, purpose: .benchmark)
        for i in 0..<tokens.count { tokens[i] = Int32(2 + stream.below(vocabulary - 2)) }
    }

    var count: Int { lengths.pairs.count }

    func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe slice(task + 13 * example, lengths.pairs[example].source)
    }

    func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe slice(task + 29 * example, lengths.pairs[example].target)
    }

    private func slice(_ place: Int, _ count: Int) -> UnsafeBufferPointer<Int32> {
        unsafe tokens.slice(place % (tokens.count - count), count)
    }
}
