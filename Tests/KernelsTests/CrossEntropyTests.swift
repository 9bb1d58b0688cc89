import Foundation
import Kernels
import TestSupport
import Testing

@Suite struct CrossEntropyTests {
    private static let sizes = laneSizes + [1000]

    /// `(1 - eps) (-log p[label]) + eps mean(-log p)` in double precision.
    private static func loss(_ logits: [Double], _ label: Int, _ smoothing: Double) -> Double {
        let top = logits.max() ?? 0
        let normaliser = top + log(logits.reduce(0) { $0 + exp($1 - top) })
        let mean = logits.reduce(0) { $0 + normaliser - $1 } / Double(logits.count)
        return (1 - smoothing) * (normaliser - logits[label]) + smoothing * mean
    }

    @Test(arguments: sizes, [0, 0.1] as [Float])
    func `the loss and the probabilities are those of double precision`(count: Int, smoothing: Float) {
        for label in Set([0, count / 2, count - 1]) {
            let logits = GuardedMatrix(1, count, seed: 1, deviation: 3)
            let point = logits.doubles
            let loss = crossEntropyRow(logits.row, label: label, smoothing: smoothing, count: count)
            let expected = Self.loss(point, label, Double(smoothing))
            #expect(abs(loss - expected) <= 1e-6 * max(1, expected))
            let probabilities = point.indices.map { exp(-Self.loss(point, $0, 0)) }
            #expect(largestDifference(logits.values, probabilities) <= 1e-6 && logits.gapsAreIntact)
        }
    }

    @Test(arguments: sizes, [0, 0.1] as [Float])
    func `the backward is the finite difference of the loss`(count: Int, smoothing: Float) {
        for label in Set([0, count - 1]) {
            let logits = GuardedMatrix(1, count, seed: 2, deviation: 2)
            let expected = numericalGradient(at: logits.doubles) { Self.loss($0, label, Double(smoothing)) }
            _ = crossEntropyRow(logits.row, label: label, smoothing: smoothing, count: count)
            crossEntropyRowBackward(logits.row, label: label, smoothing: smoothing, count: count)
            #expect(largestDifference(logits.values, expected) <= 1e-6 && logits.gapsAreIntact)
        }
    }

    @Test(arguments: laneSizes)
    func `a NaN or an infinity anywhere makes the loss NaN`(count: Int) {
        for place in 0..<count {
            for broken: Float in [.nan, .infinity] {
                let logits = GuardedMatrix(1, count) { _, c in c == place ? broken : 1 }
                #expect(crossEntropyRow(logits.row, label: 0, smoothing: 0, count: count).isNaN)
            }
        }
    }

    @Test func `a hopeless label has a large and finite loss`() {
        let logits = GuardedMatrix(1, 20) { _, c in c == 3 ? -500 : 0 }
        let loss = crossEntropyRow(logits.row, label: 3, smoothing: 0, count: 20)
        #expect(abs(loss - 500 - log(19.0)) <= 1e-4)
    }
}
