import Randomness
import Runs
import Testing

@testable import Training

/// What inner products say about the directions of gradients, with vectors whose angles are known.
@Suite struct GradientGramTests {
    /// The inner products of vectors that are written out.
    static func gram(_ vectors: [[Double]]) -> GradientGram {
        var gram = GradientGram(count: vectors.count)
        for i in vectors.indices {
            for j in vectors.indices { gram[i, j] = zip(vectors[i], vectors[j]).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        return gram
    }

    private func isNear(_ value: Double?, _ expected: Double) -> Bool {
        value.map { ($0 - expected).magnitude < 1e-12 } ?? false
    }

    @Test func `angles, conflicts and what is left of the mean`() throws {
        // 60 degrees, opposite, and a right angle to both.
        let half = 0.75.squareRoot()
        let gram = Self.gram([[2, 0, 0], [0.5, half, 0], [-3, 0, 0], [0, 0, 1]])
        let record = InterferenceRecord(
            step: 7, source: .step, tasks: ["a", "b", "c", "d"], gram: gram, weights: [0.4, 0.3, 0.2, 0.1])
        #expect(isNear(record.cosines[0][1], 0.5) && isNear(record.cosines[1][0], 0.5))
        #expect(isNear(record.cosines[0][2], -1) && isNear(record.cosines[1][2], -0.5))
        #expect(isNear(record.cosines[3][0], 0) && isNear(record.cosines[2][2], 1))
        #expect(zip(record.norms, [2, 1, 3, 1]).allSatisfy { isNear($0, $1) })
        // Two of six pairs.
        #expect(isNear(record.conflictRate, 1.0 / 3))
        // The mean is (0.8 + 0.15 - 0.6, 0.3 half, 0.1).
        let mean = [0.35, 0.3 * half, 0.1]
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(isNear(record.effectiveStep, length / (0.8 + 0.3 + 0.6 + 0.1)))
        #expect(isNear(record.effectiveSteps[0], 0.35 / 2) && isNear(record.effectiveSteps[2], -0.35 / 3))
        #expect(isNear(record.effectiveSteps[1], 0.5 * 0.35 + half * 0.3 * half))
    }

    @Test func `tasks without a gradient do not count`() throws {
        let record = InterferenceRecord(
            step: 1, source: .averages, tasks: ["a", "b", "c"], gram: Self.gram([[0, 0], [1, 1], [-1, 0]]),
            weights: [0.5, 0.3, 0.2])
        #expect(record.cosines[0] == [nil, nil, nil] && record.norms[0] == nil && record.effectiveSteps[0] == nil)
        #expect(isNear(record.cosines[1][2], -0.5.squareRoot()))
        #expect(zip(record.weights, [0, 0.6, 0.4]).allSatisfy { isNear($0, $1) })
        #expect(record.conflictRate == 1)
        let nothing = InterferenceRecord(
            step: 1, source: .averages, tasks: ["a", "b"], gram: GradientGram(count: 2), weights: [0.5, 0.5])
        #expect(nothing.conflictRate == nil && nothing.effectiveStep == nil)
    }

    @Test func `gradients that cancel out leave a step of nothing`() throws {
        let record = InterferenceRecord(
            step: 1, source: .step, tasks: ["a", "b"], gram: Self.gram([[0.1, 0.7], [-0.1, -0.7]]), weights: [0.5, 0.5])
        #expect(record.effectiveStep.map { $0 >= 0 && $0 < 1e-7 } == true)
    }

    /// Algorithm 1 of the paper, on the vectors themselves.
    static func projected(_ gradients: [[Double]], seed: UInt64, step: Int) -> [Double] {
        func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        var sum = [Double](repeating: 0, count: gradients[0].count)
        for task in gradients.indices {
            var own = gradients[task]
            var stream = RandomStream(seed: seed, purpose: .conflictOrder, a: UInt32(step), b: UInt32(task))
            for other in stream.permutation(gradients.count).map({ Int($0) }) where other != task {
                let along = product(own, gradients[other])
                guard along < 0 else { continue }
                let factor = along / product(gradients[other], gradients[other])
                for i in own.indices { own[i] -= factor * gradients[other][i] }
            }
            for i in sum.indices { sum[i] += own[i] }
        }
        return sum
    }

    @Test(arguments: 0..<8)
    func `the projection is that of the vectors themselves`(step: Int) {
        var stream = RandomStream(seed: UInt64(step), purpose: .test)
        let gradients = (0..<5).map { _ in (0..<7).map { _ in stream.normal() } }
        var (projection, weights) = (ConflictProjection(seed: 3), [Double]())
        projection(Self.gram(gradients), step: step, into: &weights)
        let expected = Self.projected(gradients, seed: 3, step: step)
        for i in 0..<7 {
            let own = gradients.indices.reduce(0) { $0 + weights[$1] * gradients[$1][i] }
            #expect((own - expected[i]).magnitude < 1e-12)
        }
        #expect(weights.contains { $0 != 1 })
    }

    @Test func `without a conflict nothing is projected`() {
        var (projection, weights) = (ConflictProjection(seed: 1), [Double]())
        projection(Self.gram([[1, 0], [0.5, 1], [0, 0]]), step: 4, into: &weights)
        #expect(weights == [1, 1, 1])
    }

    @Test func `the order of the projections differs between steps`() {
        let gram = Self.gram([[1, 0, 0], [-1, 2, 0], [-1, -2, 1], [-1, 1, -3]])
        var (projection, weights, seen) = (ConflictProjection(seed: 1), [Double](), Set<[Double]>())
        for step in 0..<20 {
            projection(gram, step: step, into: &weights)
            seen.insert(weights)
        }
        #expect(seen.count > 3)
    }
}
