import Randomness
import Tensors

/// Chooses some of a split's examples, for a quick evaluation.
public enum ExampleSubset {
    /// The positions of at most `limit` of a task's `count` examples in ascending order, drawn with the split seed. The first
    /// examples of a file that is sorted by label would all have the same label. If the examples have `groups`, whole ones are
    /// drawn, as many as fit into the limit, but at least one.
    public static func positions(
        task: String, count: Int, limit: Int?, seed: UInt64, groups: [Int]? = nil
    ) -> [Int] {
        guard let limit, limit < count else { return Array(0..<count) }
        var random = RandomStream(seed: seed, purpose: .evaluationSubset, task: task)
        guard let groups else { return random.permutation(count).prefix(limit).sorted().map(Int.init) }
        let members = ExampleGroups(groups).members
        var chosen: [Int] = []
        for group in random.permutation(members.count).map({ members[Int($0)] }) {
            guard chosen.isEmpty || chosen.count + group.count <= limit else { break }
            chosen += group
        }
        return chosen.sorted()
    }
}

extension RandomStream {
    /// Creates a stream for a task's name, so that what is drawn does not depend on which other tasks there are.
    init(seed: UInt64, purpose: StreamPurpose, task name: String, b: UInt32 = 0) {
        let word = UInt32(ContentDigest(of: name).hexadecimal.prefix(8), radix: 16) ?? 0
        self.init(seed: seed, purpose: purpose, a: word, b: b)
    }
}
