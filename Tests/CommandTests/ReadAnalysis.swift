import Foundation

/// What the tests read of `analysis.json`.
struct ReadAnalysis: Decodable {
    struct Site: Decodable, Hashable {
        var name: String
        var kind: String
    }
    struct Spectrum: Decodable, Equatable {
        var singularValues: [Double]
        var effectiveRankSum: Double
        var spectralNorm: Double
    }
    struct Matrix: Decodable {
        var site: Site
        var matrix: String
        var task: String?
        var state: String
        var shape: [Int]
        var frobeniusNorm: Double
        var spectrum: Spectrum?
    }
    struct Correlation: Decodable {
        var kind: String
        var values: [[Double?]]
    }
    struct Component: Decodable {
        var features: String
    }
    struct Measures: Decodable {
        var matrices: [Matrix]
        var correlations: [Correlation]
        var components: [Component]
    }
    struct Side: Decodable, Equatable {
        var run: String
        var task: String?
    }
    struct Overlap: Decodable {
        struct Entry: Decodable {
            struct Values: Decodable {
                var overlap: Double?
                var angles: [Double]
            }
            var site: Site
            var overlap: Values
        }
        var first: Side
        var second: Side
        var space: String
        var state: String
        var sites: [Entry]
    }
    struct Scales: Decodable {
        struct Task: Decodable {
            struct Site: Decodable {
                var mean: [Double]
                var deviation: [Double]
            }
            var task: String
            var texts: Int?
            var sites: [Site]
        }
        struct Distances: Decodable {
            var euclidean: [[Double]]
        }
        var basis: String
        var tasks: [Task]
        var distances: Distances
    }
    struct Source: Decodable {
        var name: String
        var method: String
        var step: Int
        var start: String?
        var notes: [String]
    }
    struct Run: Decodable {
        var source: Source
        var measures: Measures
        var overlaps: [Overlap]
        var scales: Scales?

        func matrices(_ matrix: String, _ state: String, task: String? = nil) -> [Matrix] {
            measures.matrices.filter { $0.matrix == matrix && $0.state == state && $0.task == task }
        }
    }
    struct Comparison: Decodable {
        var reason: String?
        var overlaps: [Overlap]
    }
    var files: [String]
    var definitions: [String: String]
    var runs: [Run]
    var comparisons: [Comparison]

    init(_ directory: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/analysis.json"))
        self = try JSONDecoder().decode(Self.self, from: data)
    }
}
