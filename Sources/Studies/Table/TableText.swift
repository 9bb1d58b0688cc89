import Foundation

/// The cells of a table as text, which Markdown and LaTeX share.
struct TableText {
    /// A grid of texts; the first row is the head.
    struct Part {
        var head: [String]
        var rows: [[String]]
    }

    let table: StudyTable
    /// What stands for a plus or minus, and for a range of numbers.
    var plusMinus = "±"
    var dash = "–"

    /// All figures of the lines, in their order.
    private var figures: [(task: String, metric: String)] {
        var figures: [(task: String, metric: String)] = []
        for line in table.lines {
            for cell in line.figures {
                guard let task = cell.task, let metric = cell.metric else { continue }
                if !figures.contains(where: { $0 == (task, metric) }) { figures.append((task, metric)) }
            }
        }
        return figures
    }

    /// The figures, one row for each line.
    var values: Part {
        Part(
            head: ["row", "runs"] + figures.map { "\($0.task) \($0.metric)" } + ["average"],
            rows: table.lines.map { line in
                let runs = line.finished == line.runs ? "\(line.runs)" : "\(line.finished) of \(line.runs)"
                return [line.title, runs] + figures.map { value(Self.cell(line, $0)) } + [value(line.average)]
            })
    }

    /// The differences from the references; nil without any.
    var differences: Part? {
        let lines = table.lines.filter { $0.reference != nil }
        guard !lines.isEmpty else { return nil }
        return Part(
            head: ["row", "minus"] + figures.map { "\($0.task) \($0.metric)" } + ["average"],
            rows: lines.map { line in
                [line.title, line.reference ?? ""] + figures.map { difference(Self.cell(line, $0)) }
                    + [difference(line.average)]
            })
    }

    /// What the lines cost.
    var costs: Part {
        Part(
            head: [
                "row", "steps", "trainable %", "per task %", "examples/s", "peak MiB", "MiB reduced per step",
            ],
            rows: table.lines.map { line in
                let cost = line.cost
                return [
                    line.title, steps(line.steps), Self.number(cost.trainablePercent, 4),
                    Self.number(cost.trainablePercentPerTask, 4),
                    cost.examplesPerSecond.map { Self.number($0, 1) } ?? "",
                    cost.peakMemory.map { Self.number(Double($0) / 0x1p20, 0) } ?? "",
                    Self.number(Double(cost.bytesPerStep) / 0x1p20, 3),
                ]
            })
    }

    /// Sentences below the table.
    var notes: [String] {
        var notes = [
            "\(table.split) split, best checkpoint of each run, times 100; mean \(plusMinus) sample standard deviation over "
                + "the seeds \(table.seeds.map(String.init).joined(separator: ", "))."
        ]
        let differences = table.lines.flatMap { $0.figures + [$0.average] }.compactMap(\.difference)
        if !differences.isEmpty {
            let drawn =
                differences.allSatisfy(\.overExamples)
                ? "test examples and seeds"
                : "seeds only, where a run has no record of its answers, otherwise test examples and seeds"
            notes.append(
                "Differences are paired; in brackets the interval of 95 % of \(table.resamples) bootstrap resamples over "
                    + "\(drawn).")
        }
        if table.lines.contains(where: { $0.steps.count > 1 }) {
            notes.append(
                "Rows with a run for each task divide the steps by the shares of the mixture, so each task is seen as often as in "
                    + "the other rows, unless the row has its own budget.")
        }
        if table.scalesSteps {
            notes.append(
                "Rows with another batch.global make as many steps as give them the same number of examples, rounded, unless they "
                    + "set train.steps or have their own budget.")
        }
        for line in table.lines {
            let undefined = line.figures.compactMap { cell -> String? in
                guard let task = cell.task, let metric = cell.metric, let seeds = cell.undefined else { return nil }
                let list = seeds.map(String.init).joined(separator: ", ")
                return "\(task) \(metric) (seed\(seeds.count == 1 ? "" : "s") \(list))"
            }
            if !undefined.isEmpty {
                notes.append(
                    "Undefined (0/0, as with one answer for all examples) and counted as 0: \(line.title): "
                        + "\(undefined.joined(separator: ", "))")
            }
        }
        notes += StudyTable.Products.notes(table.products ?? [])
        for line in table.lines {
            for gap in line.missing {
                let state = gap.runsElsewhere == true ? "running elsewhere" : "not finished"
                notes.append("Missing: \(gap.run): \(gap.reason ?? state)")
            }
        }
        return notes
    }

    private static func cell(_ line: StudyTable.Line, _ figure: (task: String, metric: String)) -> StudyTable.Cell? {
        line.figures.first { $0.task == figure.task && $0.metric == figure.metric }
    }

    private func value(_ cell: StudyTable.Cell?) -> String {
        guard let mean = cell?.mean else { return "" }
        let spread = cell?.deviation.map { " \(plusMinus) \(Self.number(100 * $0, 1))" } ?? ""
        return Self.number(100 * mean, 1) + spread
    }

    private func difference(_ cell: StudyTable.Cell?) -> String {
        guard let difference = cell?.difference else { return "" }
        func signed(_ value: Double) -> String {
            let text = String(format: "%+.1f", 100 * value)
            return text == "-0.0" ? "+0.0" : text
        }
        return "\(signed(difference.mean)) [\(signed(difference.low)), \(signed(difference.high))]"
    }

    private func steps(_ steps: [Int]) -> String {
        guard let least = steps.min(), let most = steps.max() else { return "" }
        return least == most ? "\(most)" : "\(least)\(dash)\(most)"
    }

    private static func number(_ value: Double, _ decimals: Int) -> String {
        String(format: "%.\(decimals)f", value)
    }
}
