import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

@Suite struct SoftmaxTests {
    private static func expected(_ scores: [Double]) -> [Double] {
        let top = scores.max() ?? 0
        let powers = scores.map { exp($0 - top) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }

    @Test(arguments: laneSizes)
    func `probabilities are those of double precision`(count: Int) {
        let (scores, bias) = (GuardedMatrix(1, count, seed: 1, deviation: 3), GuardedMatrix(1, count, seed: 2))
        let plain = Self.expected(scores.doubles)
        let biased = Self.expected(zip(scores.values, bias.values).map { Double($0 + $1) })
        let other = GuardedMatrix(1, count) { scores.view[$0, $1] }
        softmax(scores.view, bias: nil, visible: count)
        #expect(largestDifference(scores.values, plain) <= 5e-7 && scores.gapsAreIntact)
        softmax(other.view, bias: bias.row, visible: count)
        #expect(largestDifference(other.values, biased) <= 5e-7 && other.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `what is not visible has probability 0 and no influence`(count: Int) {
        for visible in Set([1, (count + 1) / 2, max(count - 1, 1), count]) {
            let scores = GuardedMatrix(1, count) { _, c in c < visible ? Float(c % 7) * 0.5 : .nan }
            let bias = GuardedMatrix(1, visible, seed: 3)
            let expected = Self.expected((0..<visible).map { Double(scores.view[0, $0] + bias.view[0, $0]) })
            softmax(scores.view, bias: bias.row, visible: visible)
            let rest = [Double](repeating: 0, count: count - visible)
            #expect(largestDifference(scores.values, expected + rest) <= 5e-7 && scores.gapsAreIntact)
        }
    }

    @Test(arguments: laneSizes)
    func `a NaN that is visible makes the whole row NaN`(count: Int) {
        for place in 0..<count {
            let scores = GuardedMatrix(1, count) { _, c in c == place ? .nan : Float(c) }
            softmax(scores.view, bias: nil, visible: count)
            #expect(scores.values.allSatisfy { $0.isNaN })
        }
    }

    @Test func `large scores neither overflow nor lose their differences`() {
        let scores = GuardedMatrix(1, 17) { _, c in 30_000 + Float(c == 5 ? 1 : 0) }
        let expected = Self.expected(scores.doubles)
        softmax(scores.view, bias: nil, visible: 17)
        #expect(largestDifference(scores.values, expected) <= 5e-7)
        let infinite = GuardedMatrix(1, 17) { _, c in c == 5 ? .infinity : 0 }
        softmax(infinite.view, bias: nil, visible: 17)
        #expect(infinite.values.contains { $0.isNaN })
    }

    @Test(arguments: laneSizes)
    func `softmax's backward is its finite difference`(count: Int) {
        let (scores, dp) = (GuardedMatrix(1, count, seed: 4, deviation: 2), GuardedMatrix(1, count, seed: 5))
        let (point, weights) = (scores.doubles, dp.doubles)
        let expected = numericalGradient(at: point) { moved in
            zip(Self.expected(moved), weights).reduce(0) { $0 + $1.0 * $1.1 }
        }
        softmax(scores.view, bias: nil, visible: count)
        softmaxRowBackward(scores.row, dp.row, count)
        #expect(largestDifference(dp.values, expected) <= 1e-6 && dp.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `a NaN in the gradient of probabilities reaches the scores`(count: Int) {
        let p = GuardedMatrix(1, count) { _, _ in 1 / Float(count) }
        let dp = GuardedMatrix(1, count) { _, c in c == count - 1 ? .nan : 1 }
        softmaxRowBackward(p.row, dp.row, count)
        #expect(dp.values.allSatisfy { $0.isNaN })
    }

    /// A head's scores: each row's bias begins one element before that of the row above, and a causal row sees one more.
    @Test(arguments: [false, true])
    func `the rows of a head are those of single rows`(causal: Bool) {
        let (rows, columns) = (21, 37)
        let scores = MutableMatrix(.allocate(capacity: rows * columns), rows: rows, columns: columns)
        defer { scores.row(0).deallocate() }
        let (values, bias) = (GuardedMatrix(rows, columns, seed: 6), GuardedMatrix(1, rows + columns, seed: 7))
        for (r, c) in (0..<rows).flatMap({ r in (0..<columns).map { (r, $0) } }) { scores[r, c] = values.view[r, c] }
        softmax(scores, bias: bias.row + rows, visible: causal ? 3 : columns, growth: causal ? 2 : 0)
        for r in 0..<rows {
            let visible = causal ? min(3 + 2 * r, columns) : columns
            let one = GuardedMatrix(1, columns) { values.view[r, $1] }
            softmax(one.view, bias: bias.row + (rows - r), visible: visible)
            #expect(one.values == (0..<columns).map { scores[r, $0] } && one.gapsAreIntact, "row \(r)")
        }
    }
}
