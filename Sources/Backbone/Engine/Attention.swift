import Kernels
public import Tensors

/// What attention reads: keys and values of each example, and the positions of its queries.
public struct AttentionKeys {
    /// `[key rows, i]`.
    public let key: Matrix
    /// `[key rows, i]`.
    public let value: Matrix
    /// Key rows of each query segment.
    public let segments: Segments
    /// Position of the first query of every example (0 except in generation); only `causal` and `bias` use it.
    public let queryOffset: Int
    /// Whether a query sees only keys up to its own position.
    public let causal: Bool
    /// What is added to the scores, by distance; nil adds nothing.
    public let bias: DistanceBias?

    /// Describes keys and values.
    public init(
        key: Matrix, value: Matrix, segments: Segments, queryOffset: Int, causal: Bool, bias: DistanceBias?
    ) {
        self.key = key
        self.value = value
        self.segments = segments
        self.queryOffset = queryOffset
        self.causal = causal
        self.bias = bias
    }
}

/// Multi-head attention: `drop(softmax(q k^T + bias)) v` for each example and head. It is without the usual factor 1/sqrt(width);
/// a backbone that has the factor applies it to its queries.
public struct Attention {
    private let heads: Int
    private let width: Int
    private let dropout: PassDropout
    private let place: DropoutPlace
    private let workspace: Workspace

    /// The attention of one sublayer in one pass: `heads` of `width` columns each, probabilities dropped at `place`.
    public init(heads: Int, width: Int, dropout: PassDropout, at place: DropoutPlace, workspace: Workspace) {
        self.heads = heads
        self.width = width
        self.dropout = dropout
        self.place = place
        self.workspace = workspace
    }

    /// Memory for the probabilities of all examples and heads, and for bits when some are dropped.
    public func probabilities(_ rows: Segments, _ keys: Segments) -> AttentionProbabilities {
        var (count, bytes) = (0, 0)
        for segment in 0..<rows.count {
            let own = rows.length(segment) * keys.length(segment)
            count += heads * own
            bytes += heads * BitMask.byteCount(rows: 1, columns: own)
        }
        let values = workspace.matrix(1, count)
        let bits = unsafe dropout.masks.map { _ in unsafe workspace.take(UInt8.self, bytes) }
        return unsafe AttentionProbabilities(values: values, bits: bits)
    }

    /// `query: [rows, i]`; overwrites `context: [rows, i]` and `probabilities`.
    public func forward(
        _ query: Matrix, _ rows: Segments, _ keys: AttentionKeys, probabilities: AttentionProbabilities,
        into context: MutableMatrix
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        var left = probabilities
        for segment in 0..<rows.count {
            let (queries, length) = (rows.length(segment), keys.segments.length(segment))
            let dropped = dropout.masks.map { _ in workspace.matrix(queries, length) }
            let q = query.rows(rows.start(segment), queries)
            let k = keys.key.rows(keys.segments.start(segment), length)
            let v = keys.value.rows(keys.segments.start(segment), length)
            let out = context.rows(rows.start(segment), queries)
            for head in 0..<heads {
                prefetchAfter(head, q)
                prefetchAfter(head, k)
                prefetchAfter(head, v)
                let (p, kept) = left.next(queries, length)
                smallProduct(
                    .asIs(q.columns(head * width, width)), .transposed(k.columns(head * width, width)), into: p,
                    workspace)
                // The bias of each further query begins one element earlier, since its distances are one less.
                unsafe softmax(
                    p, bias: keys.bias?.row(head: head, query: keys.queryOffset, count: queries),
                    visible: keys.causal ? keys.queryOffset + 1 : length, growth: keys.causal ? 1 : 0)
                var weights = p.readOnly
                if let dropped, let kept {
                    dropout.applyToProbabilities(
                        p.asOneRow.readOnly, into: dropped.asOneRow, head: head, example: rows.example(segment),
                        at: place, keeping: kept)
                    weights = dropped.readOnly
                }
                smallProduct(
                    .asIs(weights), .asIs(v.columns(head * width, width)), into: out.columns(head * width, width),
                    workspace)
            }
        }
    }

    /// Brings what the next head reads into the cache.
    private func prefetchAfter(_ head: Int, _ x: Matrix) {
        if head + 1 < heads { prefetch(x.columns((head + 1) * width, width)) }
    }

    /// Backward of `forward`. Overwrites `dQuery`, `dKey` and `dValue` where they are not nil, and adds to `dBias`.
    ///
    /// With `P` after softmax and `D = drop(P)`: `dV = D^T dO`, `dP = drop(dO V^T)`, `dS = P (dP - rowsum(dP P))`,
    /// `dQ = dS K`, `dK = dS^T Q`, and `dS` is the gradient of the bias.
    public func backward(
        _ query: Matrix, _ probabilities: AttentionProbabilities, _ rows: Segments, _ keys: AttentionKeys,
        dContext: Matrix, dQuery: MutableMatrix?, dKeyValue: (key: MutableMatrix, value: MutableMatrix)?,
        dBias: DistanceBiasGradient? = nil
    ) {
        var left = probabilities
        for segment in 0..<rows.count {
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            let (start, queries) = (rows.start(segment), rows.length(segment))
            let (keyStart, length) = (keys.segments.start(segment), keys.segments.length(segment))
            let scores = workspace.matrix(queries, length)
            let dropped = workspace.matrix(queries, length)
            for head in 0..<heads {
                let columns = head * width
                let (p, kept) = left.next(queries, length)
                let dOut = dContext.rows(start, queries).columns(columns, width)
                let v = keys.value.rows(keyStart, length).columns(columns, width)
                let k = keys.key.rows(keyStart, length).columns(columns, width)
                let q = query.rows(start, queries).columns(columns, width)
                prefetchAfter(head, dContext.rows(start, queries))
                prefetchAfter(head, keys.value.rows(keyStart, length))
                prefetchAfter(head, keys.key.rows(keyStart, length))
                prefetchAfter(head, query.rows(start, queries))
                kept?.apply(p.asOneRow.readOnly, scale: dropout.scale, into: dropped.asOneRow)
                if let dValue = dKeyValue?.value {
                    smallProduct(
                        .transposed(kept == nil ? p.readOnly : dropped.readOnly), .asIs(dOut),
                        into: dValue.rows(keyStart, length).columns(columns, width), workspace)
                }
                smallProduct(.asIs(dOut), .transposed(v), into: scores, workspace)
                kept?.apply(scores.asOneRow.readOnly, scale: dropout.scale, into: scores.asOneRow)
                for row in 0..<queries {
                    unsafe softmaxRowBackward(p.row(row), scores.row(row), length)
                    if let dBias {
                        unsafe addScaled(
                            scores.row(row), 1, to: dBias.row(head: head, query: keys.queryOffset + row), length)
                    }
                }
                if let dQuery {
                    smallProduct(
                        .asIs(scores.readOnly), .asIs(k), into: dQuery.rows(start, queries).columns(columns, width),
                        workspace)
                }
                if let dKey = dKeyValue?.key {
                    smallProduct(
                        .transposed(scores.readOnly), .asIs(q),
                        into: dKey.rows(keyStart, length).columns(columns, width), workspace)
                }
            }
        }
    }
}
