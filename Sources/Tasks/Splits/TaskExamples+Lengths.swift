public import Failures

extension TaskExamples {
    /// The length of every source text of a split in bytes of UTF-8, in the order of its examples; empty when the task has
    /// no such split.
    public func sourceBytes(_ split: SplitName) throws(Failure) -> [Int] {
        guard let index = splitNames.firstIndex(of: split) else { return [] }
        var lengths: [Int] = []
        lengths.reserveCapacity(count(split))
        try readSources(split: index, 0..<count(split)) { _, source in lengths.append(source.text.count) }
        return lengths
    }
}
