/// How far down the backward has to go: to the lowest adapted sublayer of each stack and no further.
struct BackwardDepth {
    /// Lowest sublayer of the encoder with trainables; `Int.max` for none.
    let encoder: Int
    /// Lowest sublayer of the decoder that needs a backward; `Int.max` for none.
    let decoder: Int
    private let adapted: [Bool]

    init(groups: [ProjectionGroup], adapts: (ProjectionGroup) -> Bool) {
        adapted = groups.map(adapts)
        func lowest(_ stack: Stack) -> Int {
            groups.filter { $0.stack == stack && adapts($0) }.map(\.sublayer).min() ?? .max
        }
        encoder = lowest(.encoder)
        // The encoder's gradient comes through every cross-attention, down to that of block 0.
        decoder = encoder == .max ? lowest(.decoder) : min(lowest(.decoder), 1)
    }

    func adapts(_ group: ProjectionGroup) -> Bool { adapted[group.index] }
    var encoderIsTrained: Bool { encoder != .max }
}
