import Foundation
import Testing

@testable import Benchmarks

@Suite struct ScalingModelTests {
    /// A model with a reduction of a million bytes, messages of 1 ms and examples of 5 units.
    private func model(
        inefficiency: Double = 1, byteSeconds: Double = 0, threads: Int = 1, ranksPerNode: Int = 1
    ) -> ScalingModel {
        var (parts, layout) = (ScalingModel.Parts(), ScalingModel.Layout())
        parts.unitSeconds = 0.1
        parts.fixedSeconds = 1
        parts.workerSeconds = 0.25
        parts.slotSeconds = 0.125
        parts.latency = 1e-3
        parts.inefficiency = inefficiency
        parts.byteSeconds = byteSeconds
        parts.bytes = 1_000_000
        layout.threads = threads
        layout.ranksPerNode = ranksPerNode
        layout.steps = 3
        return ScalingModel(parts: parts, layout: layout, lengths: TokenLengths([(source: 3, target: 1)]))
    }

    private func milliseconds(_ model: ScalingModel, _ ranks: Int) -> Double {
        (model.reduction(ranks: ranks, bitsPerSecond: 1e9) * 1e6).rounded() / 1e3
    }

    @Test func `a reduction has two messages a doubling of the ranks, and almost twice its bytes`() {
        #expect(milliseconds(model(), 1) == 0)
        #expect(milliseconds(model(), 2) == 2 + 8)
        #expect(milliseconds(model(), 4) == 4 + 12)
        // Five ranks need one more round than four.
        #expect(milliseconds(model(), 5) == 6 + 12.8)
        #expect(milliseconds(model(), 1024) == 20 + 15.984)
        #expect(milliseconds(model(inefficiency: 2.5), 2) == 2 + 20)
        #expect(milliseconds(model(byteSeconds: 3e-9), 4) == 4 + 12 + 4.5)
    }

    @Test func `ranks of a node share its link, and need none among themselves`() {
        #expect(milliseconds(model(ranksPerNode: 2), 4) == 4 + 24)
        #expect(milliseconds(model(byteSeconds: 3e-9, ranksPerNode: 4), 4) == 4.5)
    }

    @Test func `the busiest worker is that of the trainer's cut and shares`() throws {
        // Micro-batches of four examples, 20 units each.
        #expect(try model().work(ranks: 2, examples: 8) == .init(busiest: 20, mean: 20))
        #expect(try model().work(ranks: 3, examples: 16) == .init(busiest: 40, mean: 80.0 / 3))
        #expect(try model(threads: 2).work(ranks: 1, examples: 12) == .init(busiest: 40, mean: 30))
        #expect(try model(threads: 4).work(ranks: 1, examples: 8) == .init(busiest: 20, mean: 10))
    }

    @Test func `a row is computing alone over all that a step takes`() throws {
        let report = try model().report(batches: [.global(8), .perRank(4)], ranks: [2, 4], gigabits: [1])
        // Two micro-batches suffice for at most two ranks; with four examples per rank each rank has one.
        #expect(report.series.map { $0.rows.map(\.ranks) } == [[2], [2, 4]])
        let row = try #require(report.series[0].rows.first)
        #expect(row.computeSeconds == 2 && row.overheadSeconds == 1 + 0.25 + 8 * 0.125)
        #expect(row.imbalance == 1 && abs(row.links[0].efficiency - 2 / (2 + 2.25 + 0.01)) < 1e-12)
        #expect(report.series[1].rows.map(\.batch) == [8, 16])
        #expect(
            report.table == """
                | ranks | 8, 1 Gb/s | 4 a rank, 1 Gb/s |
                |---|---|---|
                | 2 | 46.9 | 46.9 |
                | 4 | - | 38.0 |
                """)
    }

    @Test func `lengths that differ are drawn in their shares and cost the busiest rank more`() throws {
        let model = ScalingModel(parts: .init(), layout: .init(), lengths: .glue)
        let work = try model.work(ranks: 64, examples: 64 * 32)
        #expect(abs(work.mean / 32 - 50.7) < 1)
        #expect(work.busiest > work.mean && work.busiest < 1.05 * work.mean)
    }

    @Test func `docs/scaling.md has the model's inputs and what they give`() throws {
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent("docs/scaling.md"), encoding: .utf8)
        let parts = try published(page)
        for threads in [1, 8] {
            var layout = ScalingModel.Layout()
            layout.threads = threads
            let report = try ScalingModel(parts: parts, layout: layout, lengths: .glue).report(
                batches: [.perRank(32), .global(32), .global(128), .global(1024)], ranks: (1...10).map { 1 << $0 },
                gigabits: [1, 10, 100])
            let table = report.table
            #expect(
                page.contains(table),
                "docs/scaling.md lacks what unolora-bench scale --table --threads \(threads) prints:\n\(table)")
        }
    }

    /// The inputs published on the page, in lines like "| `--latency` | 2e-4 | ..."; they are also the program's defaults.
    private func published(_ page: String) throws -> ScalingModel.Parts {
        func value(_ option: String) throws -> Double {
            let line = try #require(page.split(separator: "\n").first { $0.hasPrefix("| `--\(option)` |") })
            return try #require(Double(line.split(separator: "|")[1].trimmingCharacters(in: .whitespaces)))
        }
        var parts = ScalingModel.Parts()
        let defaults = parts
        parts.unitSeconds = try value("unit-seconds")
        parts.fixedSeconds = try value("fixed-seconds")
        parts.workerSeconds = try value("worker-seconds")
        parts.slotSeconds = try value("slot-seconds")
        parts.latency = try value("latency")
        parts.inefficiency = try value("inefficiency")
        parts.byteSeconds = try value("byte-seconds")
        parts.bytes = try Int(value("bytes"))
        #expect(parts == defaults)
        return parts
    }
}
