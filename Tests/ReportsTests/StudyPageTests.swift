import Foundation
import Pages
import TestSupport
import Testing

@testable import Reports
@testable import Runs
@testable import Studies

/// The page of a study, from a table that is written out.
@Suite struct StudyPageTests {
    private static func cell(
        _ task: String?, _ values: [Double], difference: PairedBootstrap.Difference? = nil
    ) -> StudyTable.Cell {
        StudyTable.Cell(
            task: task, metric: task == nil ? nil : "accuracy", seeds: Array([1, 2].prefix(values.count)),
            values: values,
            mean: values.isEmpty ? nil : values.reduce(0, +) / Double(values.count),
            deviation: values.count > 1 ? 0.05 : nil, difference: difference)
    }

    private static func line(_ title: String, _ values: [Double], reference: String? = nil) -> StudyTable.Line {
        let difference = reference.map { _ in
            PairedBootstrap.Difference(mean: 0.0125, low: -0.02, high: 0.04, seeds: 2, overExamples: true)
        }
        return StudyTable.Line(
            title: title, row: title, point: [:], steps: [10], runs: 2, finished: values.count,
            missing: values.count < 2 ? [.init(run: "\(title)/seed-2", reason: "it <failed>")] : [],
            figures: [cell("a", values, difference: difference)], average: cell(nil, values, difference: difference),
            cost: .init(
                trainable: 10, trainablePercent: 1.5, trainablePercentPerTask: 0.5, examplesPerSecond: 12.5,
                peakMemory: 1 << 20, bytesPerStep: 80), reference: reference)
    }

    private static func page(_ lines: [StudyTable.Line], histories: [[RunHistory]]? = nil) -> Page {
        let table = StudyTable(split: "test", seeds: [1, 2], resamples: 2_000, lines: lines)
        return StudyPage(table, histories: histories ?? lines.map { _ in [] }).page(version: "1")
    }

    @Test func `figures, intervals and reasons of a table are on the page`() {
        let page = Self.page([
            Self.line("first", [0.5, 0.75]), Self.line("second <b>", [0.625], reference: "first"),
        ])
        #expect(
            page.figures.map(\.id) == [
                "result-a-accuracy", "result-average", "difference-a-accuracy", "difference-average", "cost",
            ])
        let source = page.source
        for text in [
            "3 of 4 runs are finished", "62.50", "1.25 (\u{2212}2.00 to 4.00)", "second &lt;b&gt;", "it &lt;failed&gt;",
            "first: 62.5 (50.0 to 75.0)", "second &lt;b&gt;: 1.2 (\u{2212}2.0 to 4.0)",
        ] { #expect(source.contains(text), "\(text)") }
        #expect(!source.contains("<b>"))
    }

    @Test func `a study without results has a page without figures`() {
        let page = Self.page([Self.line("first", []), Self.line("second", [])])
        #expect(page.figures.isEmpty && page.source.contains("0 of 4 runs are finished"))
    }

    @Test func `curves are means over seeds, and those of tasks are of the first seed`() throws {
        func history(_ loss: Double) -> RunHistory {
            var history = RunHistory()
            history.training = [10, 20].map { step in
                TrainRecord(
                    step: step, loss: loss, learningRate: 1, gradientNorm: 1, examples: 4, tokens: 8,
                    tasks: ["a": .init(loss: loss, tokens: 8, examples: 4)],
                    timing: .init(seconds: 1, examplesPerSecond: 4, tokensPerSecond: 8))
            }
            return history
        }
        let lines = [Self.line("first", [0.5, 0.75]), Self.line("second", [0.5, 0.5])]
        let page = Self.page(lines, histories: [[history(1), history(2)], []])
        let ids = page.figures.map(\.id)
        #expect(ids.contains("curve-loss") && ids.contains("loss") && !ids.contains("curve-average"))
        #expect(page.source.contains("<td>1.5</td>"))
        // Too many lines for one figure.
        let many = (0..<9).map { Self.line("line \($0)", [0.5, 0.5]) }
        let crowded = Self.page(many, histories: many.map { _ in [history(1)] })
        #expect(!crowded.figures.map(\.id).contains("loss") && crowded.source.contains("cannot be told apart"))
    }
}
