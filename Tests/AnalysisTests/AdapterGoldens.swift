import Analysis
import Foundation
import Testing

/// Small adapters and what numpy and scipy say about them; `Goldens/make_goldens.py` wrote them.
struct AdapterGoldens: Decodable {
    struct Site: Decodable {
        var name: String
        var kind: String
        var a: [[Double]]
        var b: [[Double]]
        var core: [[Double]]

        var matrices: LowRankMatrices {
            LowRankMatrices(
                site: SiteLabel(name: name, kind: kind), a: DenseMatrix(rows: a), b: DenseMatrix(rows: b),
                core: DenseMatrix(rows: core))
        }
    }

    struct Spectrum: Decodable {
        var values: [Double]
        var sum: Double
        var entropy: Double
        var frobenius: Double
        var spectral: Double
    }

    struct Components: Decodable {
        var coordinates: [[Double]]
        var explained: [Double]
    }

    struct Family: Decodable {
        var spectra: [Spectrum]
        var correlations: [String: [[Double]]]
        var elements: Components?
        var spectrum: Components?
    }

    struct Overlap: Decodable {
        var overlap: Double
        var angles: [Double]
    }

    struct Expected: Decodable {
        var families: [String: Family]
        var rows: [Overlap]
        var columns: [Overlap]
        var euclidean: [[Double]]
        var cosine: [[Double]]
        var merges: [[Double]]
        var leaves: [Int]
    }

    var trained: [Site]
    var start: [Site]
    var other: [Site]
    var tasks: [String]
    var scales: [[[Double]]]
    var startScales: [[[Double]]]
    var expected: Expected

    static func load() throws -> AdapterGoldens {
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let data = try Data(contentsOf: directory.appendingPathComponent("Goldens/adapters.json"))
        return try JSONDecoder().decode(AdapterGoldens.self, from: data)
    }

    var families: LowRankFamilies {
        get throws { try LowRankFamilies(trained.map(\.matrices), start: start.map(\.matrices)) }
    }
}

extension DenseMatrix {
    init(rows: [[Double]]) {
        self.init(rows: rows.count, columns: rows.first?.count ?? 0, values: rows.flatMap(\.self))
    }
}

/// Whether two numbers agree to `tolerance` times the larger of 1 and their magnitude.
func agree(_ a: Double, _ b: Double, _ tolerance: Double = 1e-9) -> Bool {
    abs(a - b) <= tolerance * max(1, abs(b))
}

/// The same for lists of one length.
func agree(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-9) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { agree($0, $1, tolerance) }
}
