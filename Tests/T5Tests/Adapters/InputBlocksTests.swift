import Adapters
import Backbone
import BackboneChecks
import Tensors
import TestSupport
import Testing

@testable import T5

/// Inputs of adapters are dropped in blocks of rows: where a block begins or ends decides nothing.
@Suite struct InputBlocksTests {
    private static let methods: [(LowRankOptions.Method, LowRankOptions.DropoutMask, rankA: Int)] = [
        (.unolora, .perInput, 3), (.unolora, .perSite, 3), (.unoloraStar, .perInput, 3), (.loraPerTask, .perInput, 3),
        (.loraPerTask, .perSite, 3), (.unolora, .perInput, 70),
    ]

    @Test(arguments: methods)
    func `a batch of several blocks has the gradients of its examples`(
        method: LowRankOptions.Method, mask: LowRankOptions.DropoutMask, rankA: Int
    ) {
        let tiny = TinyT5(.v10, encoderBlocks: 1, decoderBlocks: 1, isWide: true)
        var options = LowRankOptions(
            method: method, rankA: rankA, rankB: 5, tasks: 3, targets: .everything, dropout: 0.2)
        options.dropoutMask = mask
        let adapter = TinyAdapter(tiny, LowRankMethod(options, on: tiny.model.configuration), deviation: 0.05)
        let lengths = (0..<16).map { (source: 32 - $0 % 5, target: 1 + $0 % 3, task: $0 / 8) }
        // Those of one task, whose examples stand together.
        let rows = lengths[..<8].reduce(0) { $0 + $1.source }
        let widths = [tiny.model.configuration.modelWidth, tiny.model.configuration.feedForwardWidth]
        #expect(widths.contains { rows > RowBlocks.rows(ofWidth: $0) }, "\(rows) rows are not several blocks")
        let key = DropoutKey(seed: 4, step: 2, rate: 0.1)
        let whole = TinyT5.batch(lengths)
        let together = adapter.gradients(whole, dropout: key)
        var sums = [Double](repeating: 0, count: together.gradients.count)
        var (source, target) = (0, 0)
        for i in 0..<whole.count {
            let (sources, targets) = (whole.sourceLengths[i], whole.targetLengths[i])
            var one = RaggedBatch()
            one.append(
                source: whole.sources[source..<source + sources], target: whole.targets[target..<target + targets],
                task: whole.tasks[i], slot: whole.slots[i])
            (source, target) = (source + sources, target + targets)
            let alone = adapter.gradients(one, dropout: key)
            // Masks are those of the example, wherever its rows stand.
            #expect(abs(alone.loss.perExample[0] - together.loss.perExample[i]) < 1e-5 * abs(alone.loss.perExample[0]))
            for (j, gradient) in alone.gradients.enumerated() { sums[j] += Double(gradient) }
        }
        let largest = sums.reduce(0) { larger($0, $1.magnitude) }
        let worst = zip(sums, together.gradients).reduce(0.0) { larger($0, ($1.0 - Double($1.1)).magnitude) }
        // A library's products of other numbers of rows round in another way; a wrong row or mask changes a tenth.
        #expect(largest > 0 && worst < 1e-4 * largest, "\(worst) of \(largest)")
    }

    @Test func `blocks have all rows once, in order`() {
        for (rows, size) in [(0..<0, 0), (3..<4, 32), (5..<69, 32), (5..<70, 32), (0..<31, 32)] as [(Range<Int>, Int)] {
            let blocks = Array(RowBlocks(rows: rows, size: size))
            #expect(blocks.flatMap { Array($0) } == Array(rows))
            #expect(
                blocks.allSatisfy { (1...size).contains($0.count) } && blocks.dropLast().allSatisfy { $0.count == size }
            )
        }
        #expect(RowBlocks.rows(ofWidth: 768) == 128 && RowBlocks.rows(ofWidth: 100_000) == 32)
        #expect(RowBlocks.largest([768, 3072], rows: 20) == 61_440)
    }
}
