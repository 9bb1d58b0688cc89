import Foundation
import Runs
package import Tasks
import Tensors

/// The figures of a run's data as tables for people, which `prepare` prints.
package struct DataTables {
    private let statistics: DataStatistics
    /// The names of all splits, each once.
    private let splits: [SplitName]

    /// Creates the tables of these figures.
    package init(_ statistics: DataStatistics) {
        self.statistics = statistics
        splits = statistics.tasks.flatMap { $0.splits.map(\.split) }.reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }

    /// All tables, each below a line that says what it has.
    package var text: String {
        let answers =
            "answers in tokens, end included; examples whose text is repeated in its split or is also in an earlier split "
            + "(those with another answer there)"
        return [
            "sources in tokens, end included, cut to \(statistics.maxSource); uncut is the longest before the cut\n\(sources)",
            "\(answers)\n\(self.answers)",
            "labels or scores\(hasTexts ? ", or figures of free text" : ""), examples\n\(labels)",
        ].joined(separator: "\n\n")
    }

    private var hasTexts: Bool { statistics.tasks.contains { $0.splits.contains { $0.texts != nil } } }

    private var sources: String {
        table(["examples", "tokens", "mean", "p95", "longest", "uncut", "cut", "unknown"]) { split in
            let (tokens, sources) = (split.sources.tokens, split.sources)
            return [
                "\(split.examples)", "\(tokens.total)", Self.number(tokens.mean, "%.1f"),
                Self.number(tokens.percentile95), Self.number(tokens.longest), Self.number(sources.whole.longest),
                DataReport.percent(sources.cut.share), DataReport.percent(sources.unknownTokens.share),
            ]
        }
    }

    private var answers: String {
        let earlier = splits.filter { name in
            statistics.tasks.contains { $0.splits.contains { $0.equalText.contains { $0.with == name } } }
        }
        return table(["tokens", "mean", "longest", "repeated"] + earlier.map { "in \($0)" }) { split in
            [
                "\(split.answers.total)", Self.number(split.answers.mean, "%.2f"), Self.number(split.answers.longest),
                "\(split.repeated.count) (\(split.repeated.otherAnswer))",
            ]
                + earlier.map { name in
                    split.equalText.first { $0.with == name }.map { "\($0.count) (\($0.otherAnswer))" } ?? ""
                }
        }
    }

    /// A row for each split of each task, after its name.
    private func table(_ head: [String], _ cells: (SplitStatistics) -> [String]) -> String {
        let rows = statistics.tasks.flatMap { task in
            task.splits.enumerated().map { position, split in
                [
                    position == 0 ? task.task : "", "\(split.split)" + (split.label.map { " (\($0))" } ?? ""),
                ] + cells(split)
            }
        }
        return TextTable([["task", "split"] + head] + rows, left: [0, 1]).text
    }

    /// A row for each label, with its answer and its examples in each split, or for each figure of the scores or of free text.
    private var labels: String {
        let rows = statistics.tasks.flatMap { task -> [[String]] in
            let own = splits.map(task.split)
            let names = own.lazy.compactMap { $0?.labels }.first ?? []
            /// Rows of named figures, of which `figures` gives those of a split, if it has them.
            func rows(_ names: [String], _ figures: (SplitStatistics) -> [String]?) -> [[String]] {
                let columns = own.map { split in split.flatMap(figures) }
                return names.enumerated().map { index, name in [name, ""] + columns.map { $0?[index] ?? "" } }
            }
            let rows =
                own.contains { $0?.texts != nil }
                ? rows(Self.textNames) { $0.texts.map(Self.texts) }
                : names.isEmpty
                    ? rows(Self.scoreNames) { $0.scores.map(Self.scores) }
                    : names.enumerated().map { index, name in
                        [name.label.shown, name.answer.shown]
                            + own.map { split in
                                split?.labels.map { "\($0[index].count) (\(DataReport.percent($0[index].share)))" }
                                    ?? ""
                            }
                    }
            return rows.enumerated().map { [$0 == 0 ? task.task : ""] + $1 }
        }
        return TextTable([["task", "label", "answer"] + splits.map { "\($0)" }] + rows, left: [0, 1, 2]).text
    }

    private static let scoreNames = ["minimum", "25 %", "50 %", "75 %", "maximum", "mean"]

    private static let textNames = [
        "different answers", "accepted texts", "longest before the cut", "cut", "with unknown", "empty",
    ]

    private static func texts(_ texts: TextStatistics) -> [String] {
        let parts = [texts.cut, texts.withUnknown, texts.empty]
        return ["\(texts.different)", "\(texts.references)", number(texts.whole.longest)]
            + parts.map { part -> String in "\(part.count) (\(DataReport.percent(part.share)))" }
    }

    private static func scores(_ scores: ScoreStatistics) -> [String] {
        ([scores.minimum] + scores.quartiles + [scores.maximum]).map { String(format: "%g", $0) }
            + [String(format: "%.3f", scores.mean)]
    }

    private static func number(_ value: Int?) -> String { value.map { "\($0)" } ?? "" }
    private static func number(_ value: Double?, _ format: String) -> String {
        value.map { String(format: format, $0) } ?? ""
    }
}
