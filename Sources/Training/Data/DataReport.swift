import Foundation
package import Tasks
import Tensors

/// The results of reading and tokenising, for people.
package enum DataReport {
    /// The complete report, one line for each task and split, which `prepare` prints.
    package static func lines(_ data: RunData) -> [String] {
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
                        + split.sources.lost.map { "\($0.sources) without \(name($0.part))" }
                        + (split.sources.unknownTokens > 0 ? [unknown(split)] : [])
                        + (split.sources.withAddedTokens > 0
                            ? ["\(split.sources.withAddedTokens) with special or added tokens"] : [])
                        + split.equalText.filter { $0.examples > 0 }.map {
                            "\($0.examples) with a text that is also in \($0.with)"
                        }
                    return "  \(split.name)\(label): \(parts.joined(separator: ", "))"
                }
        }
    }

    /// One line for each task whose examples are not simply the rows of its files. `train` prints these lines at the start, and
    /// `evaluate` prints them for the split that it evaluates.
    package static func notices(_ reports: [TaskReport], of split: SplitName? = nil, maxSource: Int) -> [String] {
        reports.compactMap { report in
            let splits = report.splits.filter { split == nil || $0.name == split }
            let found =
                (split == nil ? leftOut(report) : [])
                + splits.flatMap { cuts($0, maxSource: maxSource) }
                + splits.filter { isWorthSaying($0) && (split != nil || !isMostlyUnknown($0)) }.map {
                    "\($0.name): \(unknown($0))"
                }
                + (split == nil ? report.splits : []).flatMap { split in
                    split.equalText.filter { $0.examples > 0 }.map {
                        "\($0.examples) \(split.name) examples have a text that is also in \($0.with)"
                    }
                }
            return found.isEmpty ? nil : "\(report.task): \(found.joined(separator: ", "))"
        }
    }

    /// One line for each split with so much text outside the vocabulary that the vocabulary can hardly be the right one.
    package static func warnings(_ reports: [TaskReport]) -> [String] {
        reports.flatMap { report in
            report.splits.filter(isMostlyUnknown).map {
                "task \(report.task), \($0.name): \(unknown($0)); of these the model only sees that something is there: use a "
                    + "model whose vocabulary covers these texts"
            }
        }
    }

    private static func cuts(_ split: TaskReport.Split, maxSource: Int) -> [String] {
        guard split.truncatedSources > 0 else { return [] }
        return ["\(split.truncatedSources) of \(split.examples) \(split.name) sources cut to \(maxSource) tokens"]
            + split.sources.lost.map {
                "\($0.sources) of \(split.examples) \(split.name) sources lose \(name($0.part)) completely"
            }
    }

    private static func name(_ part: SourcePart) -> String {
        switch part.kind {
        case .field: "the field \(part.text)"
        case .ending: "the template's ending \"\(part.text.shown)\""
        }
    }

    private static func unknown(_ split: TaskReport.Split) -> String {
        func percent(_ share: Double) -> String {
            share < 0.00001 ? "under 0.001 %" : String(format: share < 0.001 ? "%.3f %%" : "%.1f %%", share * 100)
        }
        return "\(percent(split.sources.unknownCharacterShare)) of the characters unknown to the vocabulary ("
            + "\(percent(split.sources.unknownTokenShare)) of the tokens, in \(split.sources.withUnknown) of "
            + "\(split.examples) sources)"
    }

    /// The larger of two shares: that of the characters (one unknown token may cover many) and that of the tokens.
    private static func unknownShare(_ split: TaskReport.Split) -> Double {
        max(split.sources.unknownCharacterShare, split.sources.unknownTokenShare)
    }

    private static func isWorthSaying(_ split: TaskReport.Split) -> Bool { unknownShare(split) > 0.01 }
    private static func isMostlyUnknown(_ split: TaskReport.Split) -> Bool { unknownShare(split) > 0.2 }

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
