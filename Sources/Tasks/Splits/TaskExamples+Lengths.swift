public import Failures

extension TaskExamples {
    /// The lengths of every source text of a split, and of every target of a task with free text, in bytes of UTF-8, in the order
    /// of its examples; empty when the task has no such split.
    public func bytes(_ split: SplitName) throws(Failure) -> (sources: [Int], targets: [Int]) {
        guard let index = splitNames.firstIndex(of: split) else { return ([], []) }
        var (sources, targets): ([Int], [Int]) = ([], [])
        sources.reserveCapacity(count(split))
        try read(split: index, 0..<count(split)) { _, source, gold in
            sources.append(source.text.count)
            if case .texts(let texts) = gold { targets.append(texts[0].utf8.count) }
        }
        return (sources, targets)
    }
}
