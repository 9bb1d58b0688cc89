public import Failures
import Foundation

extension ScalingModel {
    /// The predictions of the model; one JSON object, or a table.
    public struct Report: Encodable, Sendable {
        /// The prediction for links of one speed.
        struct Link: Encodable {
            var gigabitsPerSecond: Double
            var reductionSeconds: Double
            var stepSeconds: Double
            /// The computing time, evenly spread, divided by `stepSeconds`.
            var efficiency: Double
        }

        /// A number of ranks and a global batch.
        struct Row: Encodable {
            var batch: Int
            var ranks: Int
            /// The work of the busiest worker divided by the mean.
            var imbalance: Double
            var computeSeconds: Double
            var overheadSeconds: Double
            var links: [Link]
        }

        /// All rows for one way to choose the batch.
        struct Series: Encodable {
            var batch: Batch
            /// The rows that the program accepts: every rank has at least one micro-batch.
            var rows: [Row]
        }

        var benchmark = "scale"
        var parts: Parts
        var layout: Layout
        /// Mean cost of an example, in units.
        var meanCost: Double
        var series: [Series]
        private let ranks: [Int]
        private let gigabits: [Double]

        private enum CodingKeys: String, CodingKey { case benchmark, parts, layout, meanCost, series }

        init(_ model: ScalingModel, batches: [Batch], ranks: [Int], gigabits: [Double]) throws(Failure) {
            (parts, layout, self.ranks, self.gigabits) = (model.parts, model.layout, ranks, gigabits)
            let costs = model.lengths.pairs.reduce(0) { $0 + $1.source + 2 * $1.target }
            meanCost = Double(costs) / Double(model.lengths.pairs.count)
            series = try batches.map { batch throws(Failure) in
                let rows = try ranks.map { count throws(Failure) in
                    try model.row(ranks: count, examples: batch.examples(ranks: count), gigabits)
                }
                return Series(batch: batch, rows: rows.compactMap(\.self))
            }
        }

        /// Efficiency in percent as a Markdown table: a row for each number of ranks, a column for each batch and link; "-"
        /// where there are more ranks than micro-batches.
        public var table: String {
            let names = series.map { series in
                switch series.batch {
                case .perRank(let count): "\(count) a rank"
                case .global(let count): "\(count)"
                }
            }
            let heads = names.flatMap { name in gigabits.map { "\(name), \(Self.number($0)) Gb/s" } }
            var lines = ["| ranks | " + heads.joined(separator: " | ") + " |"]
            lines.append("|" + String(repeating: "---|", count: heads.count + 1))
            for count in ranks {
                let cells = series.flatMap { series in
                    series.rows.first { $0.ranks == count }?.links.map { String(format: "%.1f", 100 * $0.efficiency) }
                        ?? gigabits.map { _ in "-" }
                }
                lines.append("| \(count) | " + cells.joined(separator: " | ") + " |")
            }
            return lines.joined(separator: "\n")
        }

        private static func number(_ value: Double) -> String { String(format: "%g", value) }
    }

    /// The predictions for these batches and ranks, on links of `gigabits` Gb/s.
    public func report(batches: [Batch], ranks: [Int], gigabits: [Double]) throws(Failure) -> Report {
        try Report(self, batches: batches, ranks: ranks, gigabits: gigabits)
    }

    /// Nil if the program would refuse because there are more ranks than micro-batches.
    fileprivate func row(ranks: Int, examples: Int, _ gigabits: [Double]) throws(Failure) -> Report.Row? {
        guard ranks <= microBatches(examples) else { return nil }
        let work = try work(ranks: ranks, examples: examples)
        let (compute, overhead) = (work.busiest * parts.unitSeconds, overhead(examples: examples))
        return Report.Row(
            batch: examples, ranks: ranks, imbalance: work.busiest / work.mean, computeSeconds: compute,
            overheadSeconds: overhead,
            links: gigabits.map { speed in
                let reduction = reduction(ranks: ranks, bitsPerSecond: speed * 1e9)
                let step = compute + overhead + reduction
                return Report.Link(
                    gigabitsPerSecond: speed, reductionSeconds: reduction, stepSeconds: step,
                    efficiency: work.mean * parts.unitSeconds / step)
            })
    }
}
