import Heartbeat
import Kernels
import Tensors

/// A logit of a generated token is an infinity or NaN: the model computes nothing sensible for this example.
public struct NonFiniteLogits: Error, Sendable, Equatable {
    /// The example's number in the micro-batch.
    public let example: Int
}

extension T5Engine {
    /// Greedy answers to the sources of a micro-batch: the end token included, at most `maxNewTokens[i]` tokens for
    /// example i.
    ///
    /// The encoder and the hypernetwork run once; keys and values are kept; finished examples leave the batch. Ties
    /// go to the lower token id. Throws when a logit is not finite: any token would be arbitrary.
    ///
    /// An answer, to the last bit of its logits, depends on nothing but the example: not on those beside it, nor on the
    /// kernels that a library chose for so many rows.
    public func generate(_ batch: RaggedBatch, maxNewTokens: [Int]) throws(NonFiniteLogits) -> [[Int32]] {
        try generate(batch, maxNewTokens: maxNewTokens) { _, _ in }
    }

    /// The same, and calls `observe` with the example and the logits of each token.
    func generate(
        _ batch: RaggedBatch, maxNewTokens: [Int], observe: (Int, UnsafeBufferPointer<Float>) -> Void
    ) throws(NonFiniteLogits) -> [[Int32]] {
        precondition(maxNewTokens.count == batch.count, "a limit for each example")
        begin(batch, dropout: nil, keepsActivations: false)
        let memory = encode()
        let steps = maxNewTokens.max() ?? 0
        let caches = (0..<configuration.decoderBlocks).map { _ in
            (
                key: workspace.matrix(batch.count * steps, configuration.innerWidth),
                value: workspace.matrix(batch.count * steps, configuration.innerWidth)
            )
        }
        let crossKeyValues = (0..<configuration.decoderBlocks).map { crossMemory($0, memory) }
        var answers = [[Int32]](repeating: [], count: batch.count)
        var active = (0..<batch.count).filter { maxNewTokens[$0] > 0 }
        var step = 0
        while !active.isEmpty {
            let mark = workspace.mark
            let ids = workspace.take(Int32.self, active.count)
            for (i, example) in active.enumerated() {
                ids[i] = answers[example].last ?? configuration.decoderStartToken
            }
            let logits = decodeStep(UnsafePointer(ids), active, step: step, steps: steps, caches, crossKeyValues)
            for (i, example) in active.enumerated() {
                let row = UnsafePointer(logits.row(i))
                guard allFinite(row, logits.columns) else { throw NonFiniteLogits(example: example) }
                observe(example, UnsafeBufferPointer(start: row, count: logits.columns))
                answers[example].append(Int32(indexOfMaximum(row, logits.columns)))
            }
            workspace.release(to: mark)
            step += 1
            Heartbeat.beat()
            active.removeAll { answers[$0].last == configuration.endToken || answers[$0].count >= maxNewTokens[$0] }
        }
        return answers
    }

    private func crossMemory(_ block: Int, _ memory: Matrix) -> Matrix {
        guard let sources = pass.sources else { preconditionFailure("begin comes first") }
        let keyValue = workspace.matrix(memory.rows, 2 * configuration.innerWidth)
        let mark = workspace.mark
        project(model.group(.decoder, block, .crossMemory), memory, sources, into: keyValue)
        workspace.release(to: mark)
        return keyValue
    }

    /// One token of every active example through the decoder: logits `[active, vocabulary]`.
    private func decodeStep(
        _ ids: UnsafePointer<Int32>, _ active: [Int], step: Int, steps: Int, _ caches: [(key: Matrix, value: Matrix)],
        _ crossKeyValues: [Matrix]
    ) -> Matrix {
        guard let sources = pass.sources else { preconditionFailure("begin comes first") }
        let rows = Segments(active.count, in: workspace, start: { $0 }, length: { _ in 1 }, example: { active[$0] })
        let activeSources = Segments(
            active.count, in: workspace, start: { sources.start(active[$0]) }, length: { sources.length(active[$0]) },
            example: { active[$0] })
        var x = embed(ids, active.count, .decoder, rows)
        var spare: Matrix? = workspace.matrix(active.count, configuration.modelWidth)
        for block in 0..<configuration.decoderBlocks {
            let cache = KeyValueCache(key: caches[block].key, value: caches[block].value, steps: steps, step: step)
            sublayer(&x, &spare) { _ = selfAttention(.decoder, block, $0, into: $1, rows, cache: cache) }
            sublayer(&x, &spare) {
                _ = crossAttention(
                    block, $0, into: $1, rows, keyValue: crossKeyValues[block], sources: activeSources)
            }
            sublayer(&x, &spare) { _ = feedForward(.decoder, block, $0, into: $1, rows) }
        }
        return project(hidden: normalise(x, model.finalNorm(.decoder)).output, rows)
    }
}

/// The lowest index of the largest element.
func indexOfMaximum(_ x: UnsafePointer<Float>, _ count: Int) -> Int {
    var best = 0
    for i in 1..<max(count, 1) where x[i] > x[best] {
        best = i
    }
    return best
}
