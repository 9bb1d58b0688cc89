import Tensors
import Testing

@Suite struct TrainedParametersTests {
    private static let layout: ParameterLayout = {
        var layout = ParameterLayout()
        layout.append("a", [2, 3])
        layout.append("b", [4, 2])
        layout.append("c", [2])
        layout.append("d", [5])
        layout.append("e", [1, 2, 2])
        return layout
    }()

    /// A run as numbers.
    private static func runs(_ trained: TrainedParameters) -> [[Int]] {
        trained.runs.map { [$0.place, $0.positions.lowerBound, $0.positions.upperBound] }
    }

    @Test func `with nothing frozen a position is a place`() {
        let trained = TrainedParameters(Self.layout)
        #expect(trained.layout == Self.layout && trained.count == Self.layout.count)
        #expect(Self.runs(trained) == [[0, 0, 25]])
    }

    @Test func `frozen tensors and rows are left out, and neighbours are one run`() {
        let chosen = ["a": [], "b": [0, 1, 3], "d": []]
        let trained = TrainedParameters(Self.layout) { chosen[$0.name] }
        #expect(trained.layout.entries.map(\.name) == ["b", "c", "e"])
        #expect(trained.layout.entries.map(\.shape) == [[3, 2], [2], [1, 2, 2]])
        // Rows 0 and 1 of b; its row 3 and c; e.
        #expect(Self.runs(trained) == [[6, 0, 4], [12, 4, 8], [21, 8, 12]])
        let nothing = TrainedParameters(Self.layout) { _ in [] }
        #expect(nothing.count == 0 && nothing.runs.isEmpty)
        nothing.forEachRun(in: 0..<0) { _, _ in Issue.record("there is nothing") }
        #expect(TrainedParameters(ParameterLayout()).runs.isEmpty)
    }

    @Test func `the runs of every range are its elements in order`() {
        let chosen = ["a": [1], "b": [0, 2], "d": [0, 1, 4]]
        let trained = TrainedParameters(Self.layout) { chosen[$0.name] }
        let places = trained.layout.entries.flatMap { part in
            let whole = Self.layout[part.name]!
            let size = part.shape.dropFirst().reduce(1, *)
            return (chosen[part.name] ?? Array(0..<whole.shape[0])).flatMap { row in
                (0..<size).map { whole.offset + row * size + $0 }
            }
        }
        #expect(places.count == trained.count)
        for low in 0...trained.count {
            for high in low...trained.count {
                var found: [Int] = []
                var next = low
                trained.forEachRun(in: low..<high) { place, positions in
                    #expect(positions.lowerBound == next && !positions.isEmpty)
                    next = positions.upperBound
                    found += place..<place + positions.count
                }
                #expect(found == Array(places[low..<high]), "\(low)..<\(high)")
            }
        }
    }
}
