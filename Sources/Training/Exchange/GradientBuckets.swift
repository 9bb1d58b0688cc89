import Backbone
import Tensors

/// The trained weights of a method cut into pieces, in the order in which a backward completes their gradients, so that one piece
/// can be summed over the ranks while the gradients of the next are computed.
struct GradientBuckets: Equatable {
    /// A piece.
    struct Bucket: Equatable {
        /// The positions of its elements among the trained ones.
        let range: Range<Int>
        /// The position in the backward's order of the block that completes it; the number of blocks where only the end does.
        let stage: Int
    }

    /// The pieces, in order of their stages: together every element once.
    let all: [Bucket]
    /// Which elements of the gradients they hold.
    let trained: TrainedParameters
    /// The position of each block in the backward's order.
    private let stages: [Block: Int]

    /// Elements of a piece, at least where its neighbours allow it: fewer cost more in waiting than they gain. An adapter of the
    /// usual size is one piece.
    static let usualLeast = 1 << 20
    /// Elements of a piece, at most: MPI may take memory of a piece's size while it sums one.
    static let usualMost = 1 << 22

    /// One piece of so many elements.
    init(whole count: Int) {
        var layout = ParameterLayout()
        layout.append("", [count])
        trained = TrainedParameters(layout)
        all = [Bucket(range: 0..<count, stage: 0)]
        stages = [:]
    }

    init(_ method: any Method, on shape: any BackboneShape, least: Int = usualLeast, most: Int = usualMost) {
        let order = shape.backwardOrder
        let stages = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
        self.stages = stages
        let trained = method.trained
        self.trained = trained
        let tensors = Set(shape.tensorShapes().map(\.name))
        let parts = trained.layout.entries.map { part in
            let whole = method.parameters[part.name]
            let block = tensors.contains(part.name) ? shape.block(of: part.name) : whole.flatMap(method.block)
            return Bucket(range: part.range, stage: block.flatMap { stages[$0] } ?? order.count)
        }
        guard trained.count > least else {
            all = [Bucket(range: 0..<trained.count, stage: order.count)]
            return
        }
        var joined: [Bucket] = []
        for part in parts.sorted(by: { ($0.stage, -$0.range.lowerBound) < ($1.stage, -$1.range.lowerBound) }) {
            // What is complete earlier waits for its neighbour while both are small.
            if let last = joined.last, last.range.lowerBound == part.range.upperBound,
                last.stage == part.stage || last.range.count < least
            {
                joined[joined.count - 1] = Bucket(
                    range: part.range.lowerBound..<last.range.upperBound, stage: part.stage)
            } else {
                joined.append(part)
            }
        }
        all = joined.flatMap { bucket in
            stride(from: bucket.range.lowerBound, to: bucket.range.upperBound, by: most).map {
                Bucket(range: $0..<min($0 + most, bucket.range.upperBound), stage: bucket.stage)
            }
        }
    }

    /// The position of a block in the backward's order.
    func stage(of block: Block) -> Int { stages[block] ?? -1 }
}
