import Foundation
package import Tasks
import Tensors

/// The results of reading and tokenising, as lines for people.
package enum DataReport {
    /// What `train` prints at the start: for each task a line with the most important figures, and a second one if its examples
    /// are not simply the rows of its files.
    package static func lines(_ statistics: DataStatistics, _ reports: [TaskReport]) -> [String] {
        zip(statistics.tasks, reports).flatMap { task, report in
            [summary(task)] + notices([report], maxSource: statistics.maxSource)
        }
    }

    /// One line for each task whose examples are not simply the rows of its files. `evaluate` prints these lines for the split
    /// that it evaluates.
    package static func notices(_ reports: [TaskReport], of split: SplitName? = nil, maxSource: Int) -> [String] {
        reports.compactMap { report in
            let splits = report.splits.filter { split == nil || $0.name == split }
            // What `warnings` says about all splits is not said twice.
            let unknowns = splits.filter { unknownShare($0) > 0.01 && (split != nil || !isMostlyUnknown($0)) }
            let cut: [String] = splits.flatMap { cuts($0, maxSource: maxSource) + freeAnswers($0) }
            let found =
                (split == nil ? leftOut(report) : []) + cut + unknowns.map(unknown)
                + (split == nil ? splits.flatMap(equalTexts) : [])
            return line(report, found)
        }
    }

    /// One sentence for each task with files of a benchmark that have more or fewer rows than the published ones.
    package static func rowNotices(_ reports: [TaskReport], of definitions: [TaskDefinition]) -> [String] {
        // By name, since an evaluation reads only some of the tasks.
        reports.compactMap { report in
            guard let definition = definitions.first(where: { $0.name == report.task }), let suite = definition.suite
            else { return nil }
            let others = report.files.compactMap { file -> String? in
                guard let published = definition.publishedRows(of: file.name), published != file.rows else {
                    return nil
                }
                return "\(file.name.shown) has \(file.rows) rows instead of \(published)"
            }
            guard !others.isEmpty else { return nil }
            return
                "\(report.task): \(others.joined(separator: ", ")), as \(suite.rawValue) publishes it; the figures may not compare "
                + "with published ones"
        }
    }

    /// What `prepare` prints below its tables, which do not have it: for each task the rows that were left out, and for each
    /// split what the model does not see, however little it is.
    package static func remarks(_ reports: [TaskReport], maxSource: Int) -> [String] {
        reports.flatMap { report in
            ([leftOut(report)]
                + report.splits.map { split -> [String] in
                    var found = cuts(split, maxSource: maxSource) + freeAnswers(split)
                    if split.sources.unknownTokens > 0 { found.append(unknown(split)) }
                    let added = split.sources.withAddedTokens
                    if added > 0 { found.append("\(added) \(split.name) sources have special or added tokens") }
                    return found
                }).compactMap { line(report, $0) }
        }
    }

    /// One line for each split with so much text outside the vocabulary that the vocabulary can hardly be the right one.
    package static func warnings(_ reports: [TaskReport]) -> [String] {
        reports.flatMap { report in
            report.splits.filter(isMostlyUnknown).map {
                "task \(report.task), \(unknown($0)); of these the model only sees that something is there: use a "
                    + "model whose vocabulary covers these texts"
            }
        }
    }

    /// A fraction for people.
    static func percent(_ share: Double) -> String {
        if share == 0 { return "0 %" }
        if share < 0.00001 { return "under 0.001 %" }
        return String(format: share < 0.001 ? "%.3f %%" : "%.1f %%", share * 100)
    }

    private static func summary(_ task: TaskStatistics) -> String {
        let counts = task.splits.map { "\($0.examples) \($0.split)" }.joined(separator: ", ")
        guard let training = task.split(.train) else { return "\(task.task): \(counts) examples" }
        let tokens = training.sources.tokens
        let lengths =
            "\(tokens.total) tokens (mean \(String(format: "%.1f", tokens.mean ?? 0)), p95 \(tokens.percentile95 ?? 0), "
            + "longest \(tokens.longest ?? 0))"
        return [
            "\(task.task): \(counts) examples",
            "train sources: \(lengths), \(percent(training.sources.cut.share)) cut, "
                + "\(percent(training.sources.unknownTokens.share)) unknown",
            "train answers: \(answers(training))",
        ].joined(separator: "; ")
    }

    /// The share of each label, the extremes of many labels, the distribution of the scores, or the lengths of free text.
    private static func answers(_ split: SplitStatistics) -> String {
        if let scores = split.scores {
            return String(format: "scores %g to %g, mean %.2f", scores.minimum, scores.maximum, scores.mean)
        }
        if let texts = split.texts {
            return
                "free text, \(texts.different) different, \(split.answers.total) tokens (mean "
                + "\(String(format: "%.1f", split.answers.mean ?? 0)), p95 \(split.answers.percentile95 ?? 0), longest "
                + "\(split.answers.longest ?? 0))"
        }
        guard let labels = split.labels, let least = labels.min(by: { $0.count < $1.count }),
            let most = labels.max(by: { $0.count < $1.count })
        else { return "none" }
        func words(_ label: LabelStatistics) -> String { "\(label.label.shown) \(percent(label.share))" }
        if labels.count <= 4 { return labels.map(words).joined(separator: ", ") }
        return "\(labels.count) labels, from \(words(least)) to \(words(most))"
    }

    private static func line(_ report: TaskReport, _ found: [String]) -> String? {
        found.isEmpty ? nil : "\(report.task): \(found.joined(separator: ", "))"
    }

    private static func cuts(_ split: TaskReport.Split, maxSource: Int) -> [String] {
        guard split.truncatedSources > 0 else { return [] }
        return ["\(split.truncatedSources) of \(split.examples) \(split.name) sources cut to \(maxSource) tokens"]
            + split.sources.lost.map {
                "\($0.sources) of \(split.examples) \(split.name) sources lose \(name($0.part)) completely"
            }
    }

    /// What the model cannot give of the answers of a task with free text.
    private static func freeAnswers(_ split: TaskReport.Split) -> [String] {
        guard let answers = split.answers else { return [] }
        let all = "of \(split.examples) \(split.name) answers"
        let parts: [(count: Int, text: String)] = [
            (answers.truncated, "cut to \(answers.limit ?? 0) tokens (the longest has \(answers.whole.longest ?? 0))"),
            (answers.withUnknown, "have text that the vocabulary cannot write"),
            (answers.withAddedTokens, "have special or added tokens"), (answers.empty, "are empty"),
        ]
        return parts.filter { $0.count > 0 }.map { "\($0.count) \(all) \($0.text)" }
    }

    private static func name(_ part: SourcePart) -> String {
        switch part.kind {
        case .field: "the field \(part.text)"
        case .ending: "the template's ending \"\(part.text.shown)\""
        }
    }

    private static func unknown(_ split: TaskReport.Split) -> String {
        "\(split.name): \(percent(split.sources.unknownCharacterShare)) of the characters unknown to the vocabulary ("
            + "\(percent(split.sources.unknownTokenShare)) of the tokens, in \(split.sources.withUnknown) of "
            + "\(split.examples) sources)"
    }

    /// The larger of two shares: that of the characters (one unknown token may cover many) and that of the tokens.
    private static func unknownShare(_ split: TaskReport.Split) -> Double {
        max(split.sources.unknownCharacterShare, split.sources.unknownTokenShare)
    }

    private static func isMostlyUnknown(_ split: TaskReport.Split) -> Bool { unknownShare(split) > 0.2 }

    private static func equalTexts(_ split: TaskReport.Split) -> [String] {
        let (name, repeated) = (split.name, split.repeated)
        let several = repeated.otherAnswer > 0 ? " (\(repeated.otherAnswer) have a text with several answers)" : ""
        return
            (name == .train && repeated.examples > 0
            ? ["\(repeated.examples) train examples repeat the text of an earlier one" + several] : [])
            + split.equalText.filter { $0.examples > 0 }.map { equal in
                "\(equal.examples) \(name) examples have a text that is also in \(equal.with)" + otherAnswer(equal)
            }
    }

    private static func otherAnswer(_ equal: TaskReport.EqualText) -> String {
        equal.otherAnswer > 0 ? " (\(equal.otherAnswer) with another answer there)" : ""
    }

    private static func leftOut(_ report: TaskReport) -> [String] {
        let bad = report.files.reduce(0) { $0 + $1.badRows }
        let first = report.files.lazy.compactMap(\.firstBadRow).first
        let dropped = report.dropped.filter { $0.examples > 0 }.map { "\($0.examples) of \($0.with)" + otherAnswer($0) }
        let parts: [(count: Int, text: String)] = [
            (bad, "bad rows left out" + (first.map { " (the first is \($0))" } ?? "")),
            (report.files.reduce(0) { $0 + $1.incompleteRows }, "incomplete rows left out"),
            (report.files.reduce(0) { $0 + $1.ignoredRows }, "rows left out for their label"),
            (
                report.droppedDuplicates,
                "duplicates dropped from train" + (report.firstDropped.map { " (the first is \($0))" } ?? "") + ": "
                    + dropped.joined(separator: " and ")
            ),
        ]
        return parts.filter { $0.count > 0 }.map { "\($0.count) \($0.text)" }
    }
}
