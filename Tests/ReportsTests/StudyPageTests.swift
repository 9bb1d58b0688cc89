import Foundation
import Pages
import TestSupport
import Testing

@testable import Analysis
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
        // More lines than there are colours are drawn too.
        let many = (0..<9).map { Self.line("line \($0)", [0.5, 0.5]) }
        let crowded = Self.page(many, histories: many.map { _ in [history(1)] })
        #expect(crowded.figures.map(\.id).contains("loss"))
        for line in 0..<9 { #expect(crowded.source.contains("<title>line \(line)</title>")) }
    }

    @Test func `adapters are drawn beside each other, and absent ones have their reason`() {
        func analysis(_ values: [Double], scale: Double?) -> RunAnalysis {
            let site = SiteLabel(name: "encoder.block.0.layer.0.SelfAttention.q", kind: "encoderSelf.q")
            var measures = AdapterMeasures()
            measures.matrices = [
                MatrixAnalysis(
                    site: site, matrix: .update, task: nil, state: .trained, shape: [8, 8], frobeniusNorm: values[0],
                    spectrum: Spectrum(singularValues: values))
            ]
            let scales = scale.map { scale in
                ScaleAnalysis(
                    basis: .trainingTexts,
                    tasks: ["a", "b"].map {
                        .init(
                            task: $0, texts: 30, sites: [.init(site: site, mean: [scale, scale], deviation: [0, 0])])
                    })
            }
            var source = RunAnalysis.Source(
                name: "r", method: "m", model: "m", seed: 1, checkpoint: "c", step: 3, adapter: "", backbone: "",
                tasks: ["a", "b"])
            source.notes = ["a note"]
            return RunAnalysis(source: source, measures: measures, overlaps: [], scales: scales)
        }
        let lines = ["one", "two", "three"].map { Self.line($0, [0.5, 0.5]) }
        let table = StudyTable(split: "test", seeds: [1, 2], resamples: 2_000, lines: lines)
        let adapters: [StudyAdapter] = [
            .analysed(ReportedAdapter(name: RunName("one"), analysis: analysis([4, 1], scale: nil))),
            .analysed(ReportedAdapter(name: RunName("two"), analysis: analysis([2, 2], scale: 1.5))),
            .absent(line: "three", reason: "it <failed>"),
        ]
        let page = StudyPage(table, histories: lines.map { _ in [] }, adapters: adapters).page(version: "1")
        let ids = page.figures.map(\.id)
        for id in ["spectra-one", "spectra-two", "effective-rank-one", "update-norm-two", "scales-two"] {
            #expect(ids.contains(id), "\(ids)")
        }
        #expect(!ids.contains("scales-one"))
        let source = page.source
        for text in ["Not here: three: it &lt;failed&gt;.", "one: a note.", "30 training texts of each task", ">1.50<"]
        {
            #expect(source.contains(text), "\(text)")
        }
    }
}
