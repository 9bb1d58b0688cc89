/// The groups of a split's examples, such as the answers to one question.
package struct ExampleGroups: Codable, Sendable, Equatable {
    /// The group of each example, numbered from 0 in the order in which they appear.
    package let numbers: [Int]

    /// Numbers the groups of some examples anew; equal values are the same group.
    package init(_ groups: some Sequence<Int>) {
        var known: [Int: Int] = [:]
        numbers = groups.map { group in
            if let number = known[group] { return number }
            let number = known.count
            known[group] = number
            return number
        }
    }

    /// Whether the numbers are those of groups; a value that was read from a file may hold others.
    var isConsistent: Bool { self == ExampleGroups(numbers) }

    /// The examples of each group.
    package var members: [[Int]] {
        var members: [[Int]] = []
        for (example, group) in numbers.enumerated() {
            if group == members.count { members.append([]) }
            members[group].append(example)
        }
        return members
    }

    /// The share of the groups in a sample in which every answer is right; nil without examples. The sample consists of whole
    /// groups, and counts a group as often as it holds it.
    func shareRight(_ right: (Int) -> Bool, of sample: some Sequence<Int>) -> Double? {
        let members = members
        var drawn = [Int](repeating: 0, count: members.count)
        for example in sample { drawn[numbers[example]] += 1 }
        var (groups, good) = (0, 0)
        for (group, examples) in members.enumerated() where drawn[group] > 0 {
            let times = drawn[group] / examples.count
            groups += times
            if examples.allSatisfy(right) { good += times }
        }
        return groups > 0 ? Double(good) / Double(groups) : nil
    }
}
