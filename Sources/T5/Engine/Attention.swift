import Kernels
import Tensors

/// Where attention reads: keys and values of each example, and where its queries stand.
struct AttentionKeys {
    /// `[key rows, i]`.
    let key: Matrix
    /// `[key rows, i]`.
    let value: Matrix
    /// Key rows of each query segment.
    let segments: Segments
    /// Position of the first query of each example (0 but in generation).
    let queryOffset: Int
    /// Whether a query sees only keys up to its own position.
    let causal: Bool
    /// Relative position bias; nil in cross-attention.
    let bias: RelativePositionBias?
}

extension T5Engine {
    /// Multi-head attention without the 1/sqrt(d_kv) of others: `softmax(q k^T + bias) v` for each example and head.
    ///
    /// `query: [rows, i]`; overwrites `context: [rows, i]` and `probabilities`, example by example and head by head
    /// `[queries, keys]`.
    func attend(
        _ query: Matrix, _ rows: Segments, _ keys: AttentionKeys, probabilities: UnsafeMutablePointer<Float>,
        into context: Matrix, dropoutPlace place: UInt32
    ) {
        let (heads, width) = (configuration.heads, configuration.headWidth)
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        var offset = 0
        for segment in 0..<rows.count {
            let (queries, length) = (rows.length(segment), keys.segments.length(segment))
            let dropped = pass.dropout.map { _ in workspace.matrix(queries, length) }
            let q = query.rows(rows.start(segment), queries)
            let k = keys.key.rows(keys.segments.start(segment), length)
            let v = keys.value.rows(keys.segments.start(segment), length)
            let out = context.rows(rows.start(segment), queries)
            for head in 0..<heads {
                let p = Matrix(probabilities + offset, rows: queries, columns: length)
                offset += queries * length
                smallProduct(
                    .asIs(q.columns(head * width, width)), .transposed(k.columns(head * width, width)), into: p,
                    workspace)
                for row in 0..<queries {
                    let position = keys.queryOffset + row
                    softmaxRow(
                        p.row(row), bias: keys.bias?.row(head: head, query: position),
                        visible: keys.causal ? min(position + 1, length) : length, count: length)
                }
                var weights = p
                if let dropped {
                    dropProbabilities(p, into: dropped, head, rows.example(segment), place)
                    weights = dropped
                }
                smallProduct(
                    .asIs(weights), .asIs(v.columns(head * width, width)), into: out.columns(head * width, width),
                    workspace)
            }
        }
    }

    /// Backward of `attend`; overwrites `dQuery`, and `dKey` and `dValue`, as far as they are wanted.
    ///
    /// With `P` after softmax and `D = drop(P)`: `dV = D^T dO`, `dP = drop(dO V^T)`, `dS = P (dP - rowsum(dP P))`,
    /// `dQ = dS K`, `dK = dS^T Q`.
    func attendBackward(
        _ state: AttentionState, _ rows: Segments, _ keys: AttentionKeys, dContext: Matrix, dQuery: Matrix?,
        dKeyValue: (key: Matrix, value: Matrix)?, dropoutPlace place: UInt32
    ) {
        let (heads, width) = (configuration.heads, configuration.headWidth)
        var offset = 0
        for segment in 0..<rows.count {
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            let (start, queries) = (rows.start(segment), rows.length(segment))
            let (keyStart, length) = (keys.segments.start(segment), keys.segments.length(segment))
            let scores = workspace.matrix(queries, length)
            let dropped = workspace.matrix(queries, length)
            for head in 0..<heads {
                let columns = head * width
                let p = Matrix(state.probabilities + offset, rows: queries, columns: length)
                offset += queries * length
                let dOut = dContext.rows(start, queries).columns(columns, width)
                let v = keys.value.rows(keyStart, length).columns(columns, width)
                let k = keys.key.rows(keyStart, length).columns(columns, width)
                let q = state.query.rows(start, queries).columns(columns, width)
                if pass.dropout != nil {
                    dropProbabilities(p, into: dropped, head, rows.example(segment), place)
                }
                if let dValue = dKeyValue?.value {
                    smallProduct(
                        .transposed(pass.dropout == nil ? p : dropped), .asIs(dOut),
                        into: dValue.rows(keyStart, length).columns(columns, width), workspace)
                }
                smallProduct(.asIs(dOut), .transposed(v), into: scores, workspace)
                if let dropout = pass.dropout {
                    // Where p itself is 0 its gradient is not used.
                    reluBackward(scores, result: dropped, scale: dropout.scale)
                }
                for row in 0..<queries {
                    softmaxRowBackward(p.row(row), scores.row(row), length)
                }
                if let dQuery {
                    smallProduct(
                        .asIs(scores), .asIs(k), into: dQuery.rows(start, queries).columns(columns, width), workspace)
                }
                if let dKey = dKeyValue?.key {
                    smallProduct(
                        .transposed(scores), .asIs(q), into: dKey.rows(keyStart, length).columns(columns, width),
                        workspace)
                }
            }
        }
    }

    /// Dropout of one head's probabilities; row = head * queries + query.
    private func dropProbabilities(_ p: Matrix, into y: Matrix, _ head: Int, _ example: Int, _ place: UInt32) {
        guard let dropout = pass.dropout else { return }
        for row in 0..<p.rows {
            dropout.apply(
                p.row(row), into: y.row(row), width: p.columns, row: head * p.rows + row, slot: pass.slots[example],
                place: place)
        }
    }

    /// Number of probabilities of all examples and heads.
    func probabilityCount(_ rows: Segments, _ keys: Segments) -> Int {
        (0..<rows.count).reduce(0) { $0 + configuration.heads * rows.length($1) * keys.length($1) }
    }
}
