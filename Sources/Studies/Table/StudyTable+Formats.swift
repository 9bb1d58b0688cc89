package import Failures
package import Foundation
import Runs
import Tensors

extension StudyTable {
    /// All formats, by the ending of the file.
    package func files() throws(Failure) -> [(ending: String, text: String)] {
        [
            ("json", String(decoding: try json(), as: UTF8.self) + "\n"), ("csv", csv), ("md", markdown),
            ("tex", latex),
        ]
    }

    /// Everything, with figures as fractions.
    package func json() throws(Failure) -> Data { try StableJSON.document(self, "the table") }

    /// One line for each number of a line of the table, figures as fractions.
    package var csv: String {
        let head =
            ["line", "row"] + gridKeys
            + ["quantity", "task", "metric", "seeds", "mean", "deviation", "difference", "low", "high"]
        var rows = [head]
        for line in lines {
            let start = [line.title, line.row] + gridKeys.map { line.point[$0] ?? "" }
            for cell in line.figures + [line.average] {
                let difference = cell.difference
                rows.append(
                    start + [
                        cell.task == nil ? "average" : "figure", cell.task ?? "", cell.metric ?? "",
                        "\(cell.seeds.count)", Self.plain(cell.mean), Self.plain(cell.deviation),
                        Self.plain(difference?.mean), Self.plain(difference?.low), Self.plain(difference?.high),
                    ])
            }
            let costs: [(String, Double?)] = [
                ("runs", Double(line.runs)), ("finished", Double(line.finished)),
                ("steps", Double(line.steps.reduce(0, +))), ("trainable", Double(line.cost.trainable)),
                ("trainablePercent", line.cost.trainablePercent),
                ("trainablePercentPerTask", line.cost.trainablePercentPerTask),
                ("examplesPerSecond", line.cost.examplesPerSecond),
                ("peakMemory", line.cost.peakMemory.map(Double.init)),
                ("bytesPerStep", Double(line.cost.bytesPerStep)),
            ]
            for (name, value) in costs {
                rows.append(start + [name, "", "", "", Self.plain(value), "", "", "", ""])
            }
        }
        return rows.map(CSV.line).joined()
    }

    /// Three tables with aligned columns, and notes; also for the terminal.
    package var markdown: String {
        let text = TableText(table: self)
        let parts = [text.values, text.differences, text.costs].compactMap(\.self)
        return parts.map(Self.markdown).joined(separator: "\n") + "\n"
            + text.notes.map { "- \($0)\n" }.joined()
    }

    /// The same for LaTeX, without packages.
    package var latex: String {
        let text = TableText(table: self, plusMinus: "$\\pm$", dash: "--")
        let parts = [text.values, text.differences, text.costs].compactMap(\.self)
        return parts.map(Self.latex).joined(separator: "\n") + "\n"
            + text.notes.map { "% \($0)\n" }.joined()
    }

    private static func markdown(_ part: TableText.Part) -> String {
        let all = ([part.head] + part.rows).map { $0.map { $0.replacing("|", with: "\\|") } }
        let widths = part.head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            "| " + zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ")
                + " |\n"
        }
        let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) + "|" }.joined() + "\n"
        return line(all[0]) + rule + all.dropFirst().map(line).joined()
    }

    private static func latex(_ part: TableText.Part) -> String {
        func line(_ cells: [String]) -> String { cells.map(escaped).joined(separator: " & ") + " \\\\\n" }
        return "\\begin{tabular}{l\(String(repeating: "r", count: part.head.count - 1))}\n\\hline\n" + line(part.head)
            + "\\hline\n" + part.rows.map(line).joined() + "\\hline\n\\end{tabular}\n"
    }

    /// A text for LaTeX; the plus-minus sign is already LaTeX.
    private static func escaped(_ text: String) -> String {
        text.split(separator: "$\\pm$", omittingEmptySubsequences: false).map { part in
            part.map { character -> String in
                switch character {
                case "\\": "\\textbackslash{}"
                case "~": "\\textasciitilde{}"
                case "^": "\\textasciicircum{}"
                case "&", "%", "$", "#", "_", "{", "}": "\\\(character)"
                default: String(character)
                }
            }.joined()
        }.joined(separator: "$\\pm$")
    }

    private static func plain(_ value: Double?) -> String {
        guard let value else { return "" }
        return value == value.rounded() && abs(value) < 0x1p53 ? "\(Int(value))" : "\(value)"
    }
}
