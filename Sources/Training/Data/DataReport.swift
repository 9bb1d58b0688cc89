import Tasks

/// What reading and tokenising found, for people.
enum DataReport {
    /// All of it, a line for each task and split: what `prepare` prints.
    static func lines(_ data: RunData) -> [String] {
        data.cache.tasks.flatMap { task -> [String] in
            let head = ["\(task.name): longest answer \(task.longestTarget) tokens"] + leftOut(task.report)
            return [head.joined(separator: ", ")]
                + zip(task.report.splits, task.splits).map { split, cached in
                    let label = split.label.map { " (\($0))" } ?? ""
                    let parts =
                        [
                            "\(split.examples) examples", "longest source \(cached.longestSource) tokens",
                            "\(split.truncatedSources) truncated",
                        ]
                        + split.equalText.filter { $0.examples > 0 }.map { "\($0.examples) with a text of \($0.with)" }
                    return "  \(split.name)\(label): \(parts.joined(separator: ", "))"
                }
        }
    }

    /// A line for each task whose examples are not simply the rows of its files: what `train` says at the start.
    static func notices(_ reports: [TaskReport], maxSource: Int) -> [String] {
        reports.compactMap { report in
            let found =
                leftOut(report)
                + report.splits.filter { $0.truncatedSources > 0 }.map {
                    "\($0.truncatedSources) of \($0.examples) \($0.name) sources cut to \(maxSource) tokens"
                }
                + report.splits.flatMap { split in
                    split.equalText.filter { $0.examples > 0 }.map {
                        "\($0.examples) \(split.name) examples have a text of \($0.with)"
                    }
                }
            return found.isEmpty ? nil : "\(report.task): \(found.joined(separator: ", "))"
        }
    }

    private static func leftOut(_ report: TaskReport) -> [String] {
        let bad = report.files.reduce(0) { $0 + $1.badRows }
        let first = report.files.lazy.compactMap(\.firstBadRow).first
        let parts: [(count: Int, text: String)] = [
            (bad, "bad rows left out" + (first.map { " (the first is \($0))" } ?? "")),
            (report.files.reduce(0) { $0 + $1.incompleteRows }, "incomplete rows left out"),
            (report.files.reduce(0) { $0 + $1.ignoredRows }, "rows left out for their label"),
            (report.droppedDuplicates, "duplicates dropped"),
        ]
        return parts.filter { $0.count > 0 }.map { "\($0.count) \($0.text)" }
    }
}
