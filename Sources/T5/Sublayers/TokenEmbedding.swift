import Backbone
import Kernels
import Tensors

/// The embedding of a stack's tokens, with dropout.
struct TokenEmbedding {
    private let stack: Stack
    private let parts: T5Parts

    init(_ stack: Stack, _ parts: T5Parts) {
        self.stack = stack
        self.parts = parts
    }

    /// `[count, d]`, in memory of the workspace.
    func forward(_ ids: UnsafePointer<Int32>, _ count: Int, _ rows: Segments, _ pass: Pass) -> MutableMatrix {
        let x = pass.workspace.matrix(count, parts.configuration.modelWidth)
        unsafe gatherRows(parts.model.embedding, ids, into: x)
        pass.dropout.apply(x, rows, at: place)
        return x
    }

    /// Adds to the gradient of a trained embedding; `dx: [count, d]`, the gradient of `forward`'s result, is overwritten.
    func backward(_ ids: UnsafePointer<Int32>, _ dx: MutableMatrix, _ rows: Segments, _ pass: Pass) {
        guard let gradient = parts.gradients.embedding else { return }
        pass.dropout.apply(dx, rows, at: place)
        for row in 0..<dx.rows { unsafe addScaled(dx.row(row), 1, to: gradient.row(Int(ids[row])), dx.columns) }
    }

    private var place: DropoutPlace { DropoutPlace(stack, block: 0, .embedding) }
}
