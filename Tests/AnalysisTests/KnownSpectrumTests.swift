import Analysis
import Foundation
import Tensors
import Testing

/// Adapters that are made of rotations and chosen singular values, rounded to float32 as in a file: every measure is known.
@Suite struct KnownSpectrumTests {
    /// The first `count` rows of a rotation: products of rotations in the planes of neighbouring axes.
    private static func rotation(_ count: Int, of width: Int, angle: Double) -> [[Double]] {
        var rows = (0..<width).map { i in (0..<width).map { $0 == i ? 1.0 : 0 } }
        for step in 0..<2 * width {
            let (i, j) = (step % (width - 1), step % (width - 1) + 1)
            let (c, s) = (cos(angle * Double(step + 1)), sin(angle * Double(step + 1)))
            let (x, y) = (rows[i], rows[j])
            rows[i] = zip(x, y).map { c * $0 - s * $1 }
            rows[j] = zip(x, y).map { s * $0 + c * $1 }
        }
        return Array(rows[..<count])
    }

    /// A matrix as it is after it was stored in float32.
    private static func stored(_ matrix: DenseMatrix) -> DenseMatrix {
        DenseMatrix(rows: matrix.rows, columns: matrix.columns, values: matrix.values.map { Double(Float($0)) })
    }

    /// A site with `A = diag(a) V^T` and `B = U diag(b)`, so that the singular values of `f B A` are `f b_i a_i`.
    private static func site(_ a: [Double], _ b: [Double], factor: Double) -> LowRankMatrices {
        let rank = a.count
        let right = DenseMatrix(rows: rotation(rank, of: 24, angle: 0.37))
        let left = DenseMatrix(rows: rotation(rank, of: 17, angle: 0.23)).transposed
        return LowRankMatrices(
            site: SiteLabel(name: "site", kind: "kind"), a: stored(right.scalingRows(by: a)),
            b: stored(left.scalingColumns(by: b)), core: DenseMatrix(diagonal: Array(repeating: factor, count: rank)))
    }

    private static let chosen: [(a: [Double], b: [Double], factor: Double)] = [
        ([4, 2, 1, 0.5], [3, 2, 1, 0.25], 2), ([1e3, 1, 1e-1, 1e-2], [1, 1, 1, 1], 0.125),
        ([1, 1, 1, 1], [1, 1, 1, 1], 16), ([5, 3], [1e-4, 1e-4], 1),
    ]

    @Test(arguments: chosen)
    func `all measures of A, B and BA are right to five digits`(a: [Double], b: [Double], factor: Double) throws {
        let families = try LowRankFamilies([Self.site(a, b, factor: factor)], start: nil)
        let known: [MatrixRole: [Double]] = [.a: a, .b: b, .update: zip(a, b).map { factor * $0 * $1 }]
        var found = try families.factors(.trained)
        found.append(try #require(try families.updates(.trained)))
        for family in found {
            var measures = AdapterMeasures()
            try measures.add(family)
            let (matrix, values) = (try #require(measures.matrices.first), try #require(known[family.matrix]))
            let spectrum = try #require(matrix.spectrum)
            let sum = values.reduce(0, +)
            let entropy = -values.reduce(0) { $0 + $1 / sum * log($1 / sum) }
            func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-5 * b }
            #expect(spectrum.singularValues.count == values.count)
            #expect(
                zip(spectrum.singularValues, values).allSatisfy { isClose($0, $1) }, "\(family.matrix): \(spectrum)")
            #expect(isClose(spectrum.effectiveRankSum, sum / values[0]))
            #expect(isClose(spectrum.effectiveRankEntropy, exp(entropy)))
            #expect(isClose(matrix.frobeniusNorm, values.reduce(0) { $0 + $1 * $1 }.squareRoot()))
            #expect(isClose(spectrum.spectralNorm, values[0]))
        }
    }

    /// B begins at 0, so this is every run's first checkpoint.
    @Test func `a zero matrix has norms and ranks of 0, and nothing in common with others`() throws {
        let one = Self.site([2, 1], [1, 1], factor: 1)
        let zero = LowRankMatrices(
            site: one.site, a: one.a, b: DenseMatrix(rows: one.b.rows, columns: 2) { _, _ in 0 }, core: one.core)
        var (measures, spaces, others) = (AdapterMeasures(), AdapterSubspaces(run: "a"), AdapterSubspaces(run: "b"))
        let families = try LowRankFamilies([zero], start: [zero])
        #expect(!families.startAddsSomething)
        for state in AdapterState.allCases {
            for family in try families.factors(state) {
                try measures.add(family)
                spaces.add(family)
            }
            try measures.add(#require(try families.updates(state)))
        }
        for family in try LowRankFamilies([one], start: nil).factors(.trained) { others.add(family) }
        for matrix in measures.matrices where matrix.matrix != .a || matrix.state == .minusStart {
            let spectrum = try #require(matrix.spectrum)
            #expect(matrix.frobeniusNorm == 0 && spectrum == Spectrum(singularValues: [0, 0]))
            #expect(spectrum.effectiveRankSum == 0 && spectrum.effectiveRankEntropy == 0 && spectrum.spectralNorm == 0)
        }
        #expect(measures.correlations.allSatisfy { $0.matrix == .a || $0.values == [[nil]] })
        let tables = try spaces.with(others)
        let a = try #require(tables.first { $0.space == .rows }),
            b = try #require(tables.first { $0.space == .columns })
        #expect(b.sites[0].overlap.overlap == nil && b.sites[0].overlap.dimensions == [0, 2])
        #expect(agree(try #require(a.sites[0].overlap.overlap), 1, 1e-12))
    }

    @Test func `the scale of a dimension scales its part of the product`() throws {
        let families = try LowRankFamilies([Self.site([3, 2, 1], [1, 1, 1], factor: 2)], start: nil)
        let family = try #require(try families.updates(.trained, scales: ("task", [[0.5, -2, 1]])))
        #expect(family.task == "task")
        // 2 * (3 * 0.5, 2 * 2, 1 * 1): the sign is in the vectors.
        #expect(agree(family.members[0].decomposition.values, [8, 3, 2], 1e-5))
    }

    @Test(arguments: [0.0, 1e-6, 0.3, 1.2, Double.pi / 2])
    func `principal angles are exact for small and for large ones`(angle: Double) throws {
        func axes(_ rows: [[Double]]) throws -> Subspace {
            Subspace(rowsOf: try SingularValueDecomposition(DenseMatrix(rows: rows)))
        }
        let first = try axes([[1, 0, 0, 0, 0], [0, 2, 0, 0, 0]])
        let second = try axes([[3 * cos(angle), 0, 3 * sin(angle), 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 5]])
        for overlap in [try SubspaceOverlap(first, second), try SubspaceOverlap(second, first)] {
            #expect(agree(overlap.angles, [0, angle], 1e-14), "\(overlap.angles)")
            #expect(agree(try #require(overlap.overlap), (1 + cos(angle) * cos(angle)) / 2, 1e-14))
            #expect(overlap.chance == 3.0 / 5)
        }
    }

    @Test func `the weights of a whole model have norms, and their changes spectra and correlations`() throws {
        let change = Self.site([4, 2], [1, 1], factor: 1)
        let update = change.b.times(change.a)
        let start = DenseMatrix(rows: update.rows, columns: update.columns) { Double($0 - $1) }
        let trained = start.minus(update)
        var measures = AdapterMeasures()
        let names = ["one", "two"]
        try measures.add(
            names.map { TrainedWeight(site: SiteLabel(name: $0, kind: "k"), trained: trained, start: start) })
        #expect(measures.matrices.map(\.state) == [.trained, .trained, .minusStart, .minusStart])
        #expect(measures.matrices[0].spectrum == nil && measures.matrices[0].frobeniusNorm > 0)
        let spectrum = try #require(measures.matrices[2].spectrum)
        #expect(agree(Array(spectrum.singularValues[..<2]), [4, 2], 1e-5) && spectrum.singularValues.count == 17)
        #expect(agree(try #require(measures.correlations.first?.values[0][1]), 1, 1e-12))
        var alone = AdapterMeasures()
        try alone.add([TrainedWeight(site: SiteLabel(name: "one", kind: "k"), trained: trained, start: nil)])
        #expect(alone.matrices.count == 1 && alone.correlations.isEmpty)
    }

    @Test func `the same number of bits on every computation`() throws {
        let goldens = try AdapterGoldens.load()
        func measures() throws -> [Double] {
            var measures = AdapterMeasures()
            let families = try goldens.families
            for state in AdapterState.allCases {
                for family in try families.factors(state) { try measures.add(family) }
                try measures.add(#require(try families.updates(state)))
            }
            return measures.matrices.flatMap { $0.spectrum?.singularValues ?? [] }
                + measures.components.flatMap { $0.points.flatMap(\.coordinates) }
        }
        let first = try measures()
        #expect(try measures() == first && first.count > 50)
    }
}
