import Foundation
import Optimizers
import Tensors
import Testing

@Suite struct AdamWTests {
    private func arena(_ values: [Float]) -> Arena {
        let arena = Arena(count: values.count)
        _ = arena.elements.update(fromContentsOf: values)
        return arena
    }

    /// The update formula of the documentation in double precision.
    private func reference(
        _ optimiser: AdamW, weights: [Double], gradients: [[Double]], learningRate: Double
    ) -> [Double] {
        var w = weights
        var (m, v) = ([Double](repeating: 0, count: w.count), [Double](repeating: 0, count: w.count))
        for (t, g) in gradients.enumerated() {
            for i in w.indices {
                m[i] = optimiser.beta1 * m[i] + (1 - optimiser.beta1) * g[i]
                v[i] = optimiser.beta2 * v[i] + (1 - optimiser.beta2) * g[i] * g[i]
                w[i] *= 1 - learningRate * optimiser.weightDecay
                let (c1, c2) = (1 - pow(optimiser.beta1, Double(t + 1)), 1 - pow(optimiser.beta2, Double(t + 1)))
                w[i] -= learningRate / c1 * m[i] / ((v[i] / c2).squareRoot() + optimiser.epsilon)
            }
        }
        return w
    }

    /// With a first gradient g the corrected moments are g and g^2, so the step is lr * sign(g).
    @Test func `the first step moves by the learning rate against the gradient's sign`() {
        let (w, g) = (arena([1, 1, -2]), arena([0.5, -1e-4, 30]))
        let (m, v) = (Arena(count: 3), Arena(count: 3))
        AdamW(weightDecay: 0).update(w, gradients: g, mean: m, square: v, learningRate: 0.01, count: 1)
        for (value, expected) in zip(w.elements, [0.99, 1.01, -2.01] as [Float]) {
            #expect(abs(value - expected) <= 2e-6)
        }
        for i in 0..<3 {
            #expect(abs(m.base[i] - 0.1 * g.base[i]) <= 1e-6 * abs(g.base[i]))
            #expect(abs(v.base[i] - 0.001 * g.base[i] * g.base[i]) <= 1e-6 * g.base[i] * g.base[i])
        }
    }

    @Test func `an element without gradient decays and nothing else`() {
        let (w, m, v) = (arena([2, -4]), Arena(count: 2), Arena(count: 2))
        AdamW(weightDecay: 0.5).update(
            w, gradients: Arena(count: 2), mean: m, square: v, learningRate: 0.1, count: 1)
        #expect(Array(w.elements) == [2 * Float(0.95), -4 * Float(0.95)])
        #expect(m.elements.allSatisfy { $0 == 0 } && v.elements.allSatisfy { $0 == 0 })
    }

    @Test func `several steps follow the formulas in double precision`() {
        let optimiser = AdamW(beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1)
        let start: [Float] = [0.3, -1.2, 2.5, 0, 7]
        let gradients: [[Float]] = (0..<20).map { t in start.indices.map { sin(Float(7 * t + 3 * $0)) * Float($0 + 1) }
        }
        let (w, m, v) = (arena(start), Arena(count: 5), Arena(count: 5))
        for (t, g) in gradients.enumerated() {
            optimiser.update(w, gradients: arena(g), mean: m, square: v, learningRate: 0.05, count: t + 1)
        }
        let expected = reference(
            optimiser, weights: start.map(Double.init), gradients: gradients.map { $0.map(Double.init) },
            learningRate: 0.05)
        for (value, double) in zip(w.elements, expected) {
            #expect(abs(Double(value) - double) <= 1e-6 * max(1, abs(double)))
        }
    }

    @Test func `after millions of steps the corrections are 1`() {
        let (w, g, m, v) = (arena([1]), arena([1]), arena([1]), arena([1]))
        AdamW(weightDecay: 0).update(w, gradients: g, mean: m, square: v, learningRate: 0.25, count: 8_000_000)
        #expect(abs(w.base[0] - 0.75) <= 1e-6)
    }

    @Test func `a NaN gradient shows in weights and both moments of its element only`() {
        let (w, g, m, v) = (arena([1, 1]), arena([.nan, 1]), Arena(count: 2), Arena(count: 2))
        AdamW().update(w, gradients: g, mean: m, square: v, learningRate: 0.1, count: 1)
        for arena in [w, m, v] {
            #expect(arena.base[0].isNaN && arena.base[1].isFinite)
        }
    }
}
