import Randomness
import Tensors

/// Some of a split's examples, to judge by in little time.
public enum ExampleSubset {
    /// The positions of at most `limit` of a task's `count` examples in ascending order, drawn with the split seed: the
    /// first ones of a file that is sorted by label would all have one label.
    public static func positions(task: String, count: Int, limit: Int?, seed: UInt64) -> [Int] {
        guard let limit, limit < count else { return Array(0..<count) }
        var random = RandomStream(seed: seed, purpose: .evaluationSubset, task: task)
        return random.permutation(count).prefix(limit).sorted().map(Int.init)
    }
}

extension RandomStream {
    /// A stream that belongs to a task's name, so that other tasks beside it do not change what is drawn.
    init(seed: UInt64, purpose: StreamPurpose, task name: String, b: UInt32 = 0) {
        let word = UInt32(ContentDigest(of: name).hexadecimal.prefix(8), radix: 16) ?? 0
        self.init(seed: seed, purpose: purpose, a: word, b: b)
    }
}
