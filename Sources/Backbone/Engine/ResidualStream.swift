public import Tensors

/// The residual stream of a stack as it goes from sublayer to sublayer. When no backward follows, two buffers suffice, and the
/// memory of each sublayer is given back after it.
public struct ResidualStream {
    private var current: MutableMatrix
    private var spare: MutableMatrix?
    private let workspace: Workspace

    /// `[rows, d]`.
    public var present: Matrix { current.readOnly }

    /// Begins with the embedding.
    public init(_ start: MutableMatrix, _ pass: Pass) {
        current = start
        workspace = pass.workspace
        spare = pass.keepsActivations ? nil : pass.workspace.matrix(start.rows, start.columns)
    }

    /// Runs one sublayer from the current buffer into the next one. Its result may be used only when a backward follows.
    public mutating func step<State>(_ sublayer: (Matrix, MutableMatrix) -> State) -> State {
        guard let target = spare else {
            let target = workspace.matrix(present.rows, present.columns)
            defer { current = target }
            return sublayer(present, target)
        }
        let mark = workspace.mark
        defer {
            workspace.release(to: mark)
            (spare, current) = (current, target)
        }
        return sublayer(present, target)
    }
}
