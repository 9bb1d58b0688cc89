import Analysis
import Testing

/// All measures against numpy and scipy, in double precision.
@Suite struct AdapterGoldenTests {
    private static let goldens = Result { try AdapterGoldens.load() }

    /// All families of the golden adapter by the golden's name.
    private static func families(_ goldens: AdapterGoldens) throws -> [String: MatrixFamily] {
        let families = try goldens.families
        var all: [String: MatrixFamily] = [:]
        for state in AdapterState.allCases {
            for family in try families.factors(state) { all["\(family.matrix.rawValue)/\(state)"] = family }
            all["BA/\(state)"] = try families.updates(state)
            for (task, name) in goldens.tasks.enumerated() {
                all["BA/\(state)/\(name)"] = try families.updates(
                    state, scales: (name, goldens.scales[task]), startScales: goldens.startScales[task])
            }
        }
        return all
    }

    @Test func `spectra, norms and effective ranks are numpy's`() throws {
        let goldens = try Self.goldens.get()
        let families = try Self.families(goldens)
        #expect(Set(families.keys) == Set(goldens.expected.families.keys))
        for (name, expected) in goldens.expected.families {
            var measures = AdapterMeasures()
            try measures.add(#require(families[name]))
            #expect(measures.matrices.map(\.site.name) == goldens.trained.map(\.name))
            for (matrix, expected) in zip(measures.matrices, expected.spectra) {
                let spectrum = try #require(matrix.spectrum)
                #expect(agree(spectrum.singularValues, expected.values), "\(name) \(matrix.site.name)")
                #expect(agree(spectrum.effectiveRankSum, expected.sum), "\(name) \(matrix.site.name)")
                #expect(agree(spectrum.effectiveRankEntropy, expected.entropy), "\(name) \(matrix.site.name)")
                #expect(agree(matrix.frobeniusNorm, expected.frobenius), "\(name) \(matrix.site.name)")
                #expect(agree(spectrum.spectralNorm, expected.spectral), "\(name) \(matrix.site.name)")
            }
        }
    }

    @Test func `correlations and components of sites are numpy's`() throws {
        let goldens = try Self.goldens.get()
        let families = try Self.families(goldens)
        for (name, expected) in goldens.expected.families {
            var measures = AdapterMeasures()
            try measures.add(#require(families[name]))
            // B of all sites has one shape, so that kinds of one shape come first in both.
            #expect(Set(measures.correlations.map(\.kind)) == Set(expected.correlations.keys))
            for table in measures.correlations {
                let own = try #require(expected.correlations[table.kind])
                let found = try table.values.map { try $0.map { try #require($0) } }
                #expect(
                    zip(found, own).allSatisfy { agree($0, $1) } && found.count == own.count, "\(name) \(table.kind)")
            }
            for table in measures.components {
                let own = try #require(table.features == .elements ? expected.elements : expected.spectrum)
                #expect(agree(table.explained, own.explained), "\(name) \(table.features)")
                let found = table.points.map(\.coordinates)
                #expect(found.count == own.coordinates.count)
                #expect(zip(found, own.coordinates).allSatisfy { agree($0, $1) }, "\(name) \(table.features)")
            }
            #expect(measures.components.count == (expected.elements == nil ? 0 : 2), "\(name)")
        }
    }

    @Test func `overlaps and principal angles are scipy's`() throws {
        let goldens = try Self.goldens.get()
        var (own, others) = (AdapterSubspaces(run: "first"), AdapterSubspaces(run: "second"))
        for family in try goldens.families.factors(.trained) { own.add(family) }
        let second = try LowRankFamilies(goldens.other.map(\.matrices), start: nil)
        for family in try second.factors(.trained) { others.add(family) }
        #expect(try second.factors(.minusStart).isEmpty)
        #expect(try second.updates(.minusStart) == nil)
        let tables = try own.with(others)
        #expect(tables.map(\.space) == [.rows, .columns])
        for (table, expected) in zip(tables, [goldens.expected.rows, goldens.expected.columns]) {
            #expect(table.first.run == "first" && table.second.run == "second" && table.sites.count == expected.count)
            for (entry, expected) in zip(table.sites, expected) {
                let overlap = try #require(entry.overlap.overlap)
                #expect(agree(overlap, expected.overlap), "\(table.space) \(entry.site.name)")
                #expect(agree(entry.overlap.angles, expected.angles), "\(table.space) \(entry.site.name)")
            }
        }
    }

    @Test func `distances between tasks and the dendrogram are scipy's`() throws {
        let goldens = try Self.goldens.get()
        let distances = TaskDistances(
            tasks: goldens.tasks, vectors: goldens.scales.map { $0.flatMap(\.self) })
        let expected = goldens.expected
        #expect(zip(distances.euclidean, expected.euclidean).allSatisfy { agree($0, $1) })
        let cosine = try distances.cosine.map { try $0.map { try #require($0) } }
        #expect(zip(cosine, expected.cosine).allSatisfy { agree($0, $1) })
        #expect(distances.dendrogram.merges.count == expected.merges.count)
        for (merge, expected) in zip(distances.dendrogram.merges, expected.merges) {
            #expect(merge.clusters.map(Double.init) == Array(expected[..<2]))
            #expect(agree(merge.height, expected[2]) && Double(merge.size) == expected[3])
        }
        #expect(distances.dendrogram.leafOrder == expected.leaves)
    }
}
