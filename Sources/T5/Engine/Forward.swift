import Heartbeat
import Kernels
import Tensors

/// Sum of the losses of one micro-batch.
public struct MicroBatchLoss: Sendable, Equatable {
    /// Summed cross-entropy of each example's label tokens.
    public var perExample: [Double]
    /// Label tokens of each example.
    public var tokens: [Int]

    /// Sum over all label tokens.
    public var sum: Double { perExample.reduce(0, +) }
    /// Number of label tokens.
    public var tokenCount: Int { tokens.reduce(0, +) }
}

extension T5Engine {
    /// Runs the model on a micro-batch and returns its summed loss: `-log p` of every label token, smoothed by
    /// `labelSmoothing`.
    ///
    /// Every example needs at least one target token. With `dropout` it is a training pass; `backward` may follow.
    public func forward(_ batch: RaggedBatch, dropout: DropoutKey?, labelSmoothing: Float = 0) -> MicroBatchLoss {
        let logits = self.logits(batch, dropout: dropout)
        pass.smoothing = labelSmoothing
        losses.removeAll(keepingCapacity: true)
        var row = 0
        for length in batch.targetLengths {
            var sum = 0.0
            for _ in 0..<length {
                sum += crossEntropyRow(
                    logits.row(row), label: Int(batch.targets[row]), smoothing: labelSmoothing, count: logits.columns)
                row += 1
            }
            losses.append(sum)
        }
        return MicroBatchLoss(perExample: losses, tokens: batch.targetLengths)
    }

    /// Lets go of the micro-batch: no `backward` may follow. Whoever reuses a batch's memory calls this first.
    public func endPass() { pass = PassState() }

    /// The logits of every target position, `[target rows, vocabulary]`, valid until the next call.
    public func logits(_ batch: RaggedBatch, dropout: DropoutKey? = nil) -> Matrix {
        begin(batch, dropout: dropout, keepsActivations: true)
        let memory = encode()
        let targets = segments(batch.targetLengths)
        pass.targets = targets
        let inputs = shiftedTargets(batch)
        var x = embed(inputs, batch.targets.count, .decoder, targets)
        for block in 0..<configuration.decoderBlocks {
            Heartbeat.beat()
            x = decoderBlock(block, x, targets, memory: memory)
        }
        let norm = normalise(x, model.finalNorm(.decoder))
        pass.decoderNorm = norm
        let logits = project(hidden: norm.output, targets)
        pass.logits = logits
        return logits
    }

    /// The encoder's output of the last pass, `[source rows, d]`.
    public var encoderOutput: Matrix? { pass.memory }

    func begin(_ batch: RaggedBatch, dropout: DropoutKey?, keepsActivations: Bool) {
        workspace.reset()
        pass = PassState()
        pass.keepsActivations = keepsActivations
        let slots = workspace.take(UInt32.self, batch.count)
        for (i, slot) in batch.slots.enumerated() { slots[i] = slot }
        pass.slots = UnsafePointer(slots)
        if let dropout, dropout.rate > 0 {
            pass.dropout = Dropout(seed: dropout.seed, step: dropout.step, rate: dropout.rate)
        }
        let sources = segments(batch.sourceLengths)
        pass.sources = sources
        pass.scratch = PassScratch(
            rows: max(batch.sources.count, batch.targets.count), configuration, in: workspace)
        let context = MicroBatchContext(
            model: model, batch: batch, sources: sources, slots: pass.slots, dropout: dropout,
            independentRows: !keepsActivations, workspace: workspace)
        pass.context = context
        adaptation?.begin(context)
    }

    /// Runs the encoder on the sources and returns its output `[source rows, d]`.
    func encode() -> Matrix {
        guard let context = pass.context, let sources = pass.sources else { preconditionFailure("begin comes first") }
        let count = context.batch.sources.count
        let ids = workspace.take(Int32.self, count)
        for (i, id) in context.batch.sources.enumerated() { ids[i] = id }
        var x = embed(UnsafePointer(ids), count, .encoder, sources)
        // Without a backward two buffers suffice: each sublayer's memory is given back after it.
        var spare = pass.keepsActivations ? nil : workspace.matrix(count, configuration.modelWidth)
        for block in 0..<configuration.encoderBlocks {
            Heartbeat.beat()
            sublayer(&x, &spare) { encoder[block].attention = selfAttention(.encoder, block, $0, into: $1, sources) }
            sublayer(&x, &spare) { encoder[block].feedForward = feedForward(.encoder, block, $0, into: $1, sources) }
        }
        let norm = normalise(x, model.finalNorm(.encoder))
        pass.encoderNorm = norm
        let memory = dropped(norm.output, sources, place: place(.encoder, 0, .finalNorm))
        pass.memory = memory
        return memory
    }

    /// Runs one sublayer from `x` into a fresh buffer, or into `spare` and back when activations are not kept.
    func sublayer(_ x: inout Matrix, _ spare: inout Matrix?, _ body: (Matrix, Matrix) -> Void) {
        if let target = spare {
            let mark = workspace.mark
            body(x, target)
            workspace.release(to: mark)
            spare = x
            x = target
        } else {
            let target = workspace.matrix(x.rows, x.columns)
            body(x, target)
            x = target
        }
    }

    private func decoderBlock(_ block: Int, _ input: Matrix, _ rows: Segments, memory: Matrix) -> Matrix {
        guard let sources = pass.sources else { preconditionFailure("begin comes first") }
        var x = input
        var none: Matrix?
        sublayer(&x, &none) { decoder[block].attention = selfAttention(.decoder, block, $0, into: $1, rows) }
        let keyValue = workspace.matrix(memory.rows, 2 * configuration.innerWidth)
        sublayer(&x, &none) {
            project(model.group(.decoder, block, .crossMemory), memory, sources, into: keyValue)
            decoder[block].cross = crossAttention(block, $0, into: $1, rows, keyValue: keyValue, sources: sources)
        }
        sublayer(&x, &none) { decoder[block].feedForward = feedForward(.decoder, block, $0, into: $1, rows) }
        return x
    }

    /// Embeddings of the tokens, dropped: `[count, d]`.
    func embed(_ ids: UnsafePointer<Int32>, _ count: Int, _ stack: Stack, _ rows: Segments) -> Matrix {
        let x = workspace.matrix(count, configuration.modelWidth)
        gatherRows(model.embedding, ids, into: x)
        drop(x, rows, place: place(stack, 0, .embedding))
        return x
    }

    /// Logits from the normalised decoder output: dropout, scaling, output matrix.
    func project(hidden normalised: Matrix, _ rows: Segments) -> Matrix {
        let hidden = workspace.matrix(normalised.rows, normalised.columns)
        copy(normalised, into: hidden)
        drop(hidden, rows, place: place(.decoder, 0, .finalNorm))
        if configuration.outputScale != 1 { scale(hidden, by: configuration.outputScale) }
        let logits = workspace.matrix(hidden.rows, configuration.vocabularySize)
        model.output.multiply(hidden, into: logits, independentRows: pass.independentRows, products)
        return logits
    }

    /// Decoder inputs: each example's targets shifted right by the start token.
    private func shiftedTargets(_ batch: RaggedBatch) -> UnsafePointer<Int32> {
        let inputs = workspace.take(Int32.self, batch.targets.count)
        var row = 0
        for length in batch.targetLengths {
            for i in 0..<length {
                inputs[row + i] = i == 0 ? configuration.decoderStartToken : batch.targets[row + i - 1]
            }
            row += length
        }
        return UnsafePointer(inputs)
    }
}
