import Tensors

/// A frozen weight `W: [out, in]`, possibly of several parts that read the same input, and its two products.
///
/// The parts are where the model's file has them. With `PackedWeight`s the products run on these instead; which of the two
/// it is decides the result's last bits, never the number of rows, ranks or threads.
public struct FrozenMatrix: Sendable {
    /// The parts `[out of the part, in]`, one below the other.
    public let parts: [Matrix]
    /// Width of the input.
    public let inputWidth: Int
    /// Width of the output of all parts side by side.
    public let outputWidth: Int
    /// `W^T` packed for `multiply`; nil to use the parts.
    private var forward: PackedWeight?
    /// `W` packed for `multiplyTransposed`; nil to use the parts.
    private var backward: PackedWeight?

    /// Stands for these parts.
    public init(_ parts: [Matrix]) {
        precondition(!parts.isEmpty && parts.allSatisfy { $0.columns == parts[0].columns }, "parts of one input")
        self.parts = parts
        inputWidth = parts[0].columns
        outputWidth = parts.reduce(0) { $0 + $1.rows }
    }

    /// Which of the two products packs are made for.
    public enum Direction: Sendable {
        /// `multiply` alone; `multiplyTransposed` then uses the parts.
        case forward
        /// Both.
        case both
    }

    /// Bytes that the packs of a matrix of this shape take, each at a multiple of 64.
    public func packedBytes(_ library: PackingLibrary, _ direction: Direction) throws(PackingError) -> Int {
        let first = try forwardBytes(library)
        return direction == .forward ? first : first + (try backwardBytes(library))
    }

    /// Uses packs in `memory`, which holds `packedBytes`; with `fills` they are written there first.
    public mutating func pack(
        _ library: PackingLibrary, _ direction: Direction, into memory: UnsafeMutableRawPointer, fills: Bool
    ) throws(PackingError) {
        let second = memory + (try forwardBytes(library))
        forward = PackedWeight(inner: inputWidth, columns: outputWidth, bytes: memory)
        if direction == .both { backward = PackedWeight(inner: outputWidth, columns: inputWidth, bytes: second) }
        guard fills else { return }
        let stacked = parts.count == 1 ? nil : Arena(count: outputWidth * inputWidth)
        defer { withExtendedLifetime(stacked) {} }
        if let stacked {
            var row = 0
            for part in parts {
                copy(part, into: Matrix(stacked.base + row * inputWidth, rows: part.rows, columns: inputWidth))
                row += part.rows
            }
        }
        let whole = stacked.map { Matrix($0.base, rows: outputWidth, columns: inputWidth) } ?? parts[0]
        try library.pack(whole, transposed: true, into: memory)
        if direction == .both { try library.pack(whole, transposed: false, into: second) }
    }

    private func forwardBytes(_ library: PackingLibrary) throws(PackingError) -> Int {
        try library.packedBytes(inner: inputWidth, columns: outputWidth)
    }

    private func backwardBytes(_ library: PackingLibrary) throws(PackingError) -> Int {
        try library.packedBytes(inner: outputWidth, columns: inputWidth)
    }

    /// `y = x W^T`: `x: [rows, in]`, overwrites `y: [rows, out]`.
    public func multiply(_ x: Matrix, into y: Matrix, _ products: FrozenProducts) {
        precondition(x.columns == inputWidth && y.columns == outputWidth && x.rows == y.rows, "product of other shapes")
        if let forward { return products.multiply(x, forward, into: y) }
        var column = 0
        for part in parts {
            gemm(.asIs(x), .transposed(part), into: y.columns(column, part.rows))
            column += part.rows
        }
    }

    /// `dx = dy W`, the gradient of `multiply`'s input: `dy: [rows, out]`, overwrites `dx: [rows, in]`.
    public func multiplyTransposed(_ dy: Matrix, into dx: Matrix, _ products: FrozenProducts) {
        precondition(
            dy.columns == outputWidth && dx.columns == inputWidth && dy.rows == dx.rows, "product of other shapes")
        if let backward { return products.multiply(dy, backward, into: dx) }
        var column = 0
        for part in parts {
            gemm(.asIs(dy.columns(column, part.rows)), .asIs(part), into: dx, beta: column == 0 ? 0 : 1)
            column += part.rows
        }
    }
}
