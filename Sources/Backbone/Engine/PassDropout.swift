public import Kernels
public import Tensors

/// The dropout of one pass at the backbone's places: seed, step, example and place alone decide which elements are dropped. Safe except
/// for `slots`, which are valid as long as the pass.
@safe public struct PassDropout {
    /// Decides which elements are dropped; nil when nothing is dropped.
    public let masks: Dropout?
    /// Place of each example in the global batch.
    public let slots: UnsafePointer<UInt32>

    /// Creates the dropout of a pass; a nil key or a rate of 0 drops nothing.
    public init(_ key: DropoutKey?, slots: UnsafePointer<UInt32>) {
        masks = key.flatMap { $0.rate > 0 ? Dropout(seed: $0.seed, step: $0.step, rate: $0.rate) : nil }
        unsafe self.slots = slots
    }

    /// The factor by which kept elements are multiplied; 1 when nothing is dropped.
    public var scale: Float { masks?.scale ?? 1 }

    /// `x = drop(x)` in place; the backward is the same operation.
    public func apply(_ x: MutableMatrix, _ rows: Segments, at place: DropoutPlace) {
        unsafe masks?.apply(x.readOnly, into: x, rows, slots: slots, place: place)
    }

    /// `drop(x)` in memory of the workspace; returns `x` itself when nothing is dropped.
    public func applied(to x: Matrix, _ rows: Segments, at place: DropoutPlace, _ workspace: Workspace) -> Matrix {
        guard let masks else { return x }
        let y = workspace.matrix(x.rows, x.columns)
        unsafe masks.apply(x, into: y, rows, slots: slots, place: place)
        return y.readOnly
    }

    /// `x` after the mask of an earlier dropout, in memory of the workspace; `x` itself when that is nil.
    func applied(_ kept: BitMask?, to x: Matrix, _ workspace: Workspace) -> Matrix {
        guard let kept else { return x }
        let y = workspace.matrix(x.rows, x.columns)
        kept.apply(x, scale: scale, into: y)
        return y.readOnly
    }

    /// `y = x + drop(z)`: the end of a sublayer. Overwrites `y`; `kept` gets a bit for each element that is kept.
    func sum(
        _ x: Matrix, _ z: Matrix, into y: MutableMatrix, _ rows: Segments, at place: DropoutPlace,
        keeping kept: BitMask?
    ) {
        if let masks {
            unsafe masks.applyAdding(z, to: x, into: y, rows, slots: slots, place: place, keeping: kept)
        } else {
            Kernels.sum(x, z, into: y)
        }
    }

    /// Memory for a bit for each element of a matrix; nil when nothing is dropped.
    func bits(_ rows: Int, _ columns: Int, _ workspace: Workspace) -> BitMask? {
        masks == nil ? nil : BitMask(in: workspace, rows: rows, columns: columns)
    }

    /// `y = drop(p)` for one head's probabilities of an example, all of them as one row with the head's number. Overwrites `y` and
    /// `kept`, which gets a bit for each that is kept.
    func applyToProbabilities(
        _ p: Matrix, into y: MutableMatrix, head: Int, example: Int, at place: DropoutPlace, keeping kept: BitMask
    ) {
        guard let masks else { return }
        unsafe masks.apply(p, into: y, first: head, slot: slots[example], place: place.number, keeping: kept)
    }
}
