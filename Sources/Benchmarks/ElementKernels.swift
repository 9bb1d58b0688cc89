import Backbone
import Kernels
import Optimizers
import Randomness
import Tensors

/// The speed of a loop over elements.
struct ElementRate: Encodable, Sendable {
    var kernel: String
    /// Elements per call.
    var elements: Int
    var nanosecondsPerElement: Spread
    /// Bytes that the loop must read and write, divided by the time; they may come from a cache, as in a step.
    var gigabytesPerSecond: Spread
}

/// The loops over elements of a step, with the shapes of a micro-batch.
struct ElementKernels {
    private let shape: any BackboneShape
    private let rows: FrozenReplay.Rows
    /// Tokens of an example, for its attention.
    private let length: Int
    private let trainables: Int
    private let repeats: Int
    private let workspace = Workspace()
    private let dropout = Dropout(seed: 1, step: 1, rate: 0.1)

    /// Creates the loops of a micro-batch of `rows`, whose examples have about `length` source tokens, and of an update of
    /// `trainables` trainables.
    init(_ shape: any BackboneShape, rows: FrozenReplay.Rows, length: Int, trainables: Int, repeats: Int) {
        self.shape = shape
        self.rows = rows
        self.length = length
        self.trainables = trainables
        self.repeats = repeats
    }

    /// Measures all loops.
    func measure() -> [ElementRate] {
        normRates() + attentionRates() + dropoutRates() + [crossEntropyRate()] + updateRates() + [quantiseRate()]
    }

    private func normRates() -> [ElementRate] {
        let (x, dy, y) = (random(rows.source, width), random(rows.source, width), random(rows.source, width))
        let (weight, inverse) = (random(1, width), random(1, rows.source))
        return [
            rate("rmsNorm", x.count, bytes: 8) {
                unsafe rmsNorm(x.readOnly, weight: weight.base, epsilon: 1e-6, into: y, inverse: inverse.base)
            },
            rate("rmsNormBackward", x.count, bytes: 16) {
                unsafe rmsNormBackward(
                    dy.readOnly, x: x.readOnly, weight: weight.base, inverse: inverse.base, addingTo: y)
            },
        ]
    }

    /// Loops over one example's scores in all heads.
    private func attentionRates() -> [ElementRate] {
        let (fresh, bias) = (random(shape.heads * length, length), random(1, 2 * length))
        let (p, scores) = (random(fresh.rows, length), random(fresh.rows, length))
        return [
            rate("softmax", scores.count, bytes: 12, prepare: { copy(fresh.readOnly, into: scores) }) {
                for head in 0..<shape.heads {
                    unsafe softmax(scores.rows(head * length, length), bias: bias.base + length, visible: length)
                }
            },
            rate("softmaxRowBackward", scores.count, bytes: 12, prepare: { copy(fresh.readOnly, into: scores) }) {
                for r in 0..<scores.rows { unsafe softmaxRowBackward(p.row(r), scores.row(r), length) }
            },
        ]
    }

    private func dropoutRates() -> [ElementRate] {
        let (x, a, y) = (random(rows.source, width), random(rows.source, width), random(rows.source, width))
        let fresh = random(rows.source, shape.feedForwardWidth)
        let inner = random(fresh.rows, fresh.columns)
        let mask = unsafe BitMask(
            workspace.take(UInt8.self, BitMask.byteCount(rows: inner.rows, columns: inner.columns)),
            rows: inner.rows, columns: inner.columns)
        return [
            rate("dropout", x.count, bytes: 8) { dropout.apply(x.readOnly, into: y, slot: 0, place: 1) },
            rate("dropoutAdding", x.count, bytes: 12) {
                dropout.applyAdding(x.readOnly, to: a.readOnly, into: y, slot: 0, place: 1)
            },
            rate("dropoutRelu", inner.count, bytes: 8.125, prepare: { copy(fresh.readOnly, into: inner) }) {
                dropout.applyRelu(inner, 0..<inner.rows, mask: mask, slot: 0, place: 1)
            },
            rate("reluBackward", inner.count, bytes: 8.125, prepare: { copy(fresh.readOnly, into: inner) }) {
                reluBackward(inner, mask: mask, scale: dropout.scale)
            },
        ]
    }

    private func crossEntropyRate() -> ElementRate {
        let fresh = random(rows.target, shape.vocabularySize)
        let logits = random(fresh.rows, fresh.columns)
        return rate("crossEntropy", logits.count, bytes: 8, prepare: { copy(fresh.readOnly, into: logits) }) {
            for r in 0..<logits.rows {
                _ = unsafe crossEntropyRow(logits.row(r), label: 1, smoothing: 0, count: logits.columns)
                unsafe crossEntropyRowBackward(logits.row(r), label: 1, smoothing: 0, count: logits.columns)
            }
        }
    }

    private func updateRates() -> [ElementRate] {
        let arenas = (0..<4).map { _ in Arena(count: trainables) }
        for i in 0..<trainables { unsafe arenas[1].base[i] = Float(i % 17) * 1e-3 - 8e-3 }
        let sums = unsafe workspace.take(Int64.self, trainables)
        unsafe sums.initialize(repeating: 0, count: trainables)
        return [
            rate("adamW", trainables, bytes: 28) {
                AdamW().update(
                    arenas[0], gradients: arenas[1], mean: arenas[2], square: arenas[3], learningRate: 1e-4, count: 1)
            },
            rate("fixedPointAdd", trainables, bytes: 20) {
                _ = unsafe FixedPoint.add(
                    arenas[1].base, to: sums, count: trainables, limit: FixedPoint.limit(parts: 1))
            },
        ]
    }

    private func quantiseRate() -> ElementRate {
        let x = random(rows.source, width)
        let quantised = unsafe workspace.take(Int8.self, x.count)
        return rate("quantiseRow", x.count, bytes: 5) {
            for r in 0..<x.rows { _ = unsafe quantiseRow(x.row(r), into: quantised + r * width, width) }
        }
    }

    private var width: Int { shape.modelWidth }

    /// A matrix of numbers from -1 to 1.
    private func random(_ rows: Int, _ columns: Int) -> MutableMatrix {
        let matrix = workspace.matrix(rows, columns)
        var stream = RandomStream(seed: 1, purpose: .benchmark)
        for i in 0..<matrix.count { unsafe matrix.base[i] = Float(stream.below(2001)) / 1000 - 1 }
        return matrix
    }

    /// Times `body`; `prepare` restores what `body` overwrites and is not timed.
    private func rate(
        _ kernel: String, _ elements: Int, bytes: Double, prepare: () -> Void = {}, _ body: () -> Void
    ) -> ElementRate {
        prepare()
        body()
        let times = (0..<repeats).map { _ in
            prepare()
            return max(seconds(body), 1e-9)
        }
        return ElementRate(
            kernel: kernel, elements: elements,
            nanosecondsPerElement: Spread(times.map { $0 / Double(elements) * 1e9 }),
            gigabytesPerSecond: Spread(times.map { bytes * Double(elements) / $0 * 1e-9 }))
    }
}
