/// The elements of a layout that training changes.
///
/// Weights and the gradients of a micro-batch have the whole layout, since frozen elements are computed with too. The optimiser's
/// moments and the sums of gradients have the trained elements alone, side by side in the order of the layout; the number of one
/// among them is its position. Where everything is trained, an element's position is its place in the layout.
public struct TrainedParameters: Sendable, Equatable {
    /// Elements that are neighbours in the layout too.
    public struct Run: Sendable, Equatable {
        /// The place of the first in the layout.
        public let place: Int
        /// Their positions among the trained elements.
        public let positions: Range<Int>
    }

    /// The trained tensors, each with its trained rows alone, in the order of the whole layout; offsets are positions.
    public let layout: ParameterLayout
    /// The runs in order. None is empty, and between two of them there is something frozen.
    public let runs: [Run]

    /// Number of trained elements.
    public var count: Int { layout.count }

    /// Selects the rows of each tensor that `rows` names, in ascending order; nil stands for all of them. A row is an entry of the
    /// first dimension.
    public init(_ parameters: ParameterLayout, rows: (ParameterLayout.Entry) -> [Int]? = { _ in nil }) {
        var layout = ParameterLayout()
        var runs: [Run] = []
        func append(_ range: Range<Int>, _ position: Int) {
            guard !range.isEmpty else { return }
            let positions = position..<position + range.count
            guard let last = runs.last, last.place + last.positions.count == range.lowerBound else {
                return runs.append(Run(place: range.lowerBound, positions: positions))
            }
            runs[runs.count - 1] = Run(place: last.place, positions: last.positions.lowerBound..<positions.upperBound)
        }
        for entry in parameters.entries {
            guard let chosen = rows(entry) else {
                append(entry.range, layout.append(entry.name, entry.shape).offset)
                continue
            }
            guard !chosen.isEmpty else { continue }
            precondition(
                chosen.allSatisfy { (0..<(entry.shape.first ?? 0)).contains($0) }
                    && zip(chosen, chosen.dropFirst()).allSatisfy { $0 < $1 }, "rows that \(entry.name) does not have")
            let rest = Array(entry.shape.dropFirst())
            let size = rest.reduce(1, *)
            let position = layout.append(entry.name, [chosen.count] + rest).offset
            for (i, row) in chosen.enumerated() {
                let place = entry.offset + row * size
                append(place..<place + size, position + i * size)
            }
        }
        self.layout = layout
        self.runs = runs
    }

    /// Calls `body` for each part of a range of positions whose elements are neighbours in the layout, in order, with the place of
    /// the part's first element.
    public func forEachRun(in positions: Range<Int>, _ body: (_ place: Int, _ positions: Range<Int>) -> Void) {
        guard !positions.isEmpty else { return }
        // The first run that ends behind the beginning of the range.
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].positions.upperBound > positions.lowerBound { high = middle } else { low = middle + 1 }
        }
        while low < runs.count, runs[low].positions.lowerBound < positions.upperBound {
            let run = runs[low]
            let part = run.positions.clamped(to: positions)
            body(run.place + part.lowerBound - run.positions.lowerBound, part)
            low += 1
        }
    }
}
