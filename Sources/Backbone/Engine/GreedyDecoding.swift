import Heartbeat
public import Tensors

/// Greedy decoding of a batch: each step computes one token of every unfinished example.
public struct GreedyDecoding {
    /// First input of the decoder.
    public let startToken: Int32
    /// Token that ends an answer; it belongs to the answer.
    public let endToken: Int32
    /// Memory of the worker; the results of a step may use it.
    public let workspace: Workspace

    /// Creates a decoding that starts with one token and ends with another.
    public init(startToken: Int32, endToken: Int32, workspace: Workspace) {
        self.startToken = startToken
        self.endToken = endToken
        self.workspace = workspace
    }

    /// Generates at most `limits[i]` tokens for example i. Ties go to the lower token id.
    ///
    /// - Parameters:
    ///   - logits: from the last token of each unfinished example, these examples, and the number of the step: logits
    ///     `[examples, vocabulary]`.
    ///   - observe: called with the example and the logits of each token.
    public func answers(
        limits: [Int], logits: (UnsafePointer<Int32>, [Int], Int) -> Matrix,
        observe: (Int, UnsafeBufferPointer<Float>) -> Void
    ) throws(NonFiniteLogits) -> [[Int32]] {
        var answers = [[Int32]](repeating: [], count: limits.count)
        var active = limits.indices.filter { limits[$0] > 0 }
        var step = 0
        while !active.isEmpty {
            let mark = workspace.mark
            let ids = unsafe workspace.take(Int32.self, active.count)
            for (i, example) in active.enumerated() { unsafe ids[i] = answers[example].last ?? startToken }
            let logits = unsafe logits(UnsafePointer(ids), active, step)
            for (i, example) in active.enumerated() {
                let row = unsafe logits.row(i)
                guard unsafe allFinite(row, logits.columns) else { throw NonFiniteLogits(example: example) }
                unsafe observe(example, UnsafeBufferPointer(start: row, count: logits.columns))
                unsafe answers[example].append(Int32(indexOfMaximum(row, logits.columns)))
            }
            workspace.release(to: mark)
            step += 1
            Heartbeat.beat()
            active.removeAll { answers[$0].last == endToken || answers[$0].count >= limits[$0] }
        }
        return answers
    }
}

/// The lowest index of the largest element.
func indexOfMaximum(_ x: UnsafePointer<Float>, _ count: Int) -> Int {
    var best = 0
    for i in 1..<max(count, 1) where unsafe x[i] > x[best] {
        best = i
    }
    return best
}
