import Tensors

extension TaskSuite {
    /// The rows of a split of this suite's tasks, as a part of a sentence: `the other half of dev.tsv (cola, rte), all rows of
    /// dev.tsv (sst2)`. Nil when none of the tasks is of this suite and has the split.
    public func rows(of split: SplitName, in tasks: [TaskDefinition]) -> String? {
        var groups: [(rows: String, tasks: [String])] = []
        for task in tasks where task.suite == self {
            guard let source = task.split(split)?.source else { continue }
            let files = source.paths.map { String($0.split(separator: "/").last ?? "").shown }
            let rows = ([source.rows] + (files.isEmpty ? [] : ["of", files.joined(separator: ", ")]))
                .joined(separator: " ")
            if let group = groups.firstIndex(where: { $0.rows == rows }) {
                groups[group].tasks.append(task.name)
            } else {
                groups.append((rows, [task.name]))
            }
        }
        guard !groups.isEmpty else { return nil }
        return groups.map { "\($0.rows) (\($0.tasks.joined(separator: ", ")))" }.joined(separator: ", ")
    }
}
