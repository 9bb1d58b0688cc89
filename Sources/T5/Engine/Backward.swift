import Heartbeat
import Kernels
import Tensors

extension T5Engine {
    /// Backward of the last `forward`: adds the gradient of the summed loss to the method's gradients.
    ///
    /// Goes down to the lowest adapted sublayer of each stack and no further; no gradient of a frozen weight is made.
    public func backward() {
        guard let adaptation, let context = pass.context, let targets = pass.targets, let memory = pass.memory,
            let sources = pass.sources
        else { return }
        if depth.decoder != .max {
            let dMemory = depth.encoderIsTrained ? workspace.zeroMatrix(memory.rows, memory.columns) : nil
            decoderBackward(targets, dMemory: dMemory)
            if let dMemory {
                encoderBackward(sources, dMemory: dMemory)
            }
        }
        adaptation.finish(context)
    }

    private func decoderBackward(_ rows: Segments, dMemory: Matrix?) {
        guard let norm = pass.decoderNorm else { preconditionFailure("forward comes first") }
        let dx = workspace.zeroMatrix(norm.input.rows, norm.input.columns)
        lossBackward(norm, rows, addingTo: dx)
        for block in (0..<configuration.decoderBlocks).reversed() {
            Heartbeat.beat()
            let state = decoder[block]
            if let feedForward = state.feedForward, 3 * block + 2 >= depth.decoder {
                feedForwardBackward(.decoder, block, feedForward, rows, dx, below: 3 * block + 2 > depth.decoder)
            }
            if let cross = state.cross, 3 * block + 1 >= depth.decoder {
                crossBackward(block, cross, rows, dx, dMemory: dMemory, below: 3 * block + 1 > depth.decoder)
            }
            if let attention = state.attention, 3 * block >= depth.decoder {
                selfBackward(.decoder, block, attention, rows, dx, below: 3 * block > depth.decoder)
            }
        }
    }

    private func encoderBackward(_ rows: Segments, dMemory: Matrix) {
        guard let norm = pass.encoderNorm else { preconditionFailure("forward comes first") }
        drop(dMemory, rows, place: place(.encoder, 0, .finalNorm))
        let dx = workspace.zeroMatrix(norm.input.rows, norm.input.columns)
        normBackward(dMemory, norm, model.finalNorm(.encoder), addingTo: dx)
        for block in (0..<configuration.encoderBlocks).reversed() {
            Heartbeat.beat()
            let state = encoder[block]
            if let feedForward = state.feedForward, 2 * block + 1 >= depth.encoder {
                feedForwardBackward(.encoder, block, feedForward, rows, dx, below: 2 * block + 1 > depth.encoder)
            }
            if let attention = state.attention, 2 * block >= depth.encoder {
                selfBackward(.encoder, block, attention, rows, dx, below: 2 * block > depth.encoder)
            }
        }
    }

    /// From the loss to the decoder's residual stream.
    private func lossBackward(_ norm: NormState, _ rows: Segments, addingTo dx: Matrix) {
        guard let logits = pass.logits, let batch = pass.context?.batch else { return }
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        for (row, label) in batch.targets.enumerated() {
            crossEntropyRowBackward(
                logits.row(row), label: Int(label), smoothing: pass.smoothing, count: logits.columns)
        }
        let dHidden = workspace.matrix(logits.rows, configuration.modelWidth)
        model.output.multiplyTransposed(logits, into: dHidden, products)
        if configuration.outputScale != 1 { scale(dHidden, by: configuration.outputScale) }
        drop(dHidden, rows, place: place(.decoder, 0, .finalNorm))
        normBackward(dHidden, norm, model.finalNorm(.decoder), addingTo: dx)
    }

    private func normBackward(_ dy: Matrix, _ state: NormState, _ weight: UnsafePointer<Float>, addingTo dx: Matrix) {
        rmsNormBackward(dy, x: state.input, weight: weight, inverse: state.inverse, addingTo: dx)
    }

    /// `dx` holds the gradient of the sublayer's output and receives that of its input, when something `below` needs it.
    private func feedForwardBackward(
        _ stack: Stack, _ block: Int, _ state: FeedForwardState, _ rows: Segments, _ dx: Matrix, below: Bool
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let input = model.group(stack, block, .feedForwardInput)
        let needsInner = below || depth.adapts(input)
        let dResult = dropped(dx, rows, place: place(stack, block, .feedForwardOutput))
        let dInner = needsInner ? workspace.matrix(dx.rows, configuration.feedForwardWidth) : nil
        projectBackward(model.group(stack, block, .feedForwardOutput), state.inner, rows, dResult, into: dInner)
        guard let dInner else { return }
        var dProjected = dInner
        if let gates = state.gates {
            let width = configuration.feedForwardWidth
            drop(dInner, rows, place: place(stack, block, .feedForwardInner))
            gatedGeluBackward(dInner, gates.columns(0, width), gates.columns(width, width))
            dProjected = gates
        } else {
            guard let mask = state.mask else { preconditionFailure("a forward that keeps its activations comes first") }
            reluBackward(dInner, mask: mask, scale: pass.dropout?.scale ?? 1)
        }
        let dNormalised = below ? workspace.matrix(dx.rows, dx.columns) : nil
        projectBackward(input, state.norm.output, rows, dProjected, into: dNormalised)
        if let dNormalised {
            let weight = model.norm(stack, block, stack == .encoder ? 1 : 2)
            normBackward(dNormalised, state.norm, weight, addingTo: dx)
        }
    }

    private func selfBackward(
        _ stack: Stack, _ block: Int, _ state: AttentionState, _ rows: Segments, _ dx: Matrix, below: Bool
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let inner = configuration.innerWidth
        let input = model.group(stack, block, .selfInput)
        let needsContext = below || depth.adapts(input)
        let dResult = dropped(dx, rows, place: place(stack, block, .selfOutput))
        let dContext = needsContext ? workspace.matrix(dx.rows, inner) : nil
        projectBackward(model.group(stack, block, .selfOutput), state.context, rows, dResult, into: dContext)
        guard let dContext else { return }
        let dProjected = workspace.matrix(dx.rows, 3 * inner)
        attendBackward(
            state, rows, selfKeys(stack, state.projected, rows), dContext: dContext,
            dQuery: dProjected.columns(0, inner),
            dKeyValue: (key: dProjected.columns(inner, inner), value: dProjected.columns(2 * inner, inner)),
            dropoutPlace: place(stack, block, .selfProbabilities))
        let dNormalised = below ? workspace.matrix(dx.rows, dx.columns) : nil
        projectBackward(input, state.norm.output, rows, dProjected, into: dNormalised)
        if let dNormalised {
            normBackward(dNormalised, state.norm, model.norm(stack, block, 0), addingTo: dx)
        }
    }

    private func crossBackward(
        _ block: Int, _ state: AttentionState, _ rows: Segments, _ dx: Matrix, dMemory: Matrix?, below: Bool
    ) {
        guard let sources = pass.sources, let memory = pass.memory else { return }
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let inner = configuration.innerWidth
        let (query, keyValue) = (model.group(.decoder, block, .crossQuery), model.group(.decoder, block, .crossMemory))
        let needsQuery = below || depth.adapts(query)
        let needsMemory = dMemory != nil || depth.adapts(keyValue)
        let dResult = dropped(dx, rows, place: place(.decoder, block, .crossOutput))
        let dContext = needsQuery || needsMemory ? workspace.matrix(dx.rows, inner) : nil
        projectBackward(model.group(.decoder, block, .crossOutput), state.context, rows, dResult, into: dContext)
        guard let dContext else { return }
        let dQuery = needsQuery ? workspace.matrix(dx.rows, inner) : nil
        let dKeyValue = needsMemory ? workspace.matrix(memory.rows, 2 * inner) : nil
        attendBackward(
            state, rows, crossKeys(state.keyValue, sources), dContext: dContext, dQuery: dQuery,
            dKeyValue: dKeyValue.map { (key: $0.columns(0, inner), value: $0.columns(inner, inner)) },
            dropoutPlace: place(.decoder, block, .crossProbabilities))
        if let dKeyValue {
            let part = dMemory.map { workspace.matrix($0.rows, $0.columns) }
            projectBackward(keyValue, memory, sources, dKeyValue, into: part)
            if let part, let dMemory { add(part, to: dMemory) }
        }
        guard let dQuery else { return }
        let dNormalised = below ? workspace.matrix(dx.rows, dx.columns) : nil
        projectBackward(query, state.norm.output, rows, dQuery, into: dNormalised)
        if let dNormalised {
            normBackward(dNormalised, state.norm, model.norm(.decoder, block, 1), addingTo: dx)
        }
    }
}
