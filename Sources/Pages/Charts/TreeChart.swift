/// A dendrogram: leaves at the left, and where two groups meet, the distance at which they are joined.
package struct TreeChart: Sendable {
    /// Two groups become one; leaves have the numbers from 0, merges the ones after them.
    package struct Merge: Sendable {
        package let first: Int
        package let second: Int
        package let height: Double

        /// Creates a merge.
        package init(_ first: Int, _ second: Int, height: Double) {
            self.first = first
            self.second = second
            self.height = height
        }
    }

    let leaves: [String]
    let order: [Int]
    let merges: [Merge]
    let name: String
    let bounds: [Double]

    /// Creates a chart; `order` is that of the leaves from top to bottom, in which no lines cross. The axis contains `bounds` too.
    package init(leaves: [String], order: [Int], merges: [Merge], name: String, bounds: [Double] = []) {
        self.bounds = bounds
        self.leaves = leaves
        self.order = order
        self.merges = merges
        self.name = name
    }

    private static let row = 22.0

    /// The chart.
    package var drawing: Drawing {
        var drawing = Drawing(height: 10 + Self.row * Double(leaves.count) + 40)
        let names = min(140, leaves.map { Drawing.width(of: $0) }.max() ?? 0) + 10
        let frame = Frame(left: names + 4, top: 6, right: drawing.width - 16, bottom: drawing.height - 38)
        let x = Scale(
            .linear, covering: [0] + merges.map(\.height) + bounds, to: (frame.left, frame.right), count: 4)
        frame.drawHorizontal(x, name: name, in: &drawing)
        var places: [(x: Double, y: Double)] = Array(repeating: (frame.left, 0), count: leaves.count)
        for (position, leaf) in order.enumerated() {
            let y = frame.top + Self.row * (Double(position) + 0.5)
            places[leaf].y = y
            drawing.text(Drawing.fitted(leaves[leaf], into: names), names, y + 4, .end)
        }
        for merge in merges {
            let (first, second, end) = (places[merge.first], places[merge.second], x.place(merge.height))
            drawing.path([first, (end, first.y), (end, second.y), second], style: "curve s0")
            places.append((end, (first.y + second.y) / 2))
        }
        return drawing
    }
}
