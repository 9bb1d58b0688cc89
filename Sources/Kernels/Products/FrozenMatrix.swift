public import Tensors

/// A frozen weight `W: [out, in]`, possibly made of several parts that read the same input, and its two products.
///
/// The parts are views of the model's file or copies in another format. With `PackedWeight`s the products use these instead.
/// The choice between the two decides the last bits of a result; the number of ranks or threads never does. For rows that must
/// not depend on each other either, call `multiply` with `independentRows`.
public struct FrozenMatrix: Sendable {
    /// The parts `[out of the part, in]`, one below the other.
    public let parts: [FrozenWeight]
    /// Width of the input.
    public let inputWidth: Int
    /// Width of the output of all parts side by side.
    public let outputWidth: Int
    /// `W^T` packed for `multiply`; nil when `multiply` uses the parts.
    private var forward: PackedWeight?
    /// `W` packed for `multiplyTransposed`; nil when `multiplyTransposed` uses the parts.
    private var backward: PackedWeight?

    /// Creates a matrix of these parts.
    public init(_ parts: [FrozenWeight]) {
        precondition(!parts.isEmpty && parts.allSatisfy { $0.columns == parts[0].columns }, "parts of one input")
        self.parts = parts
        inputWidth = parts[0].columns
        outputWidth = parts.reduce(0) { $0 + $1.rows }
    }

    /// Which packs a matrix gets, and of which kind; a product without a pack (nil) uses the parts.
    public struct Packs: Sendable, Equatable {
        /// For `multiply`.
        public var forward: ProductKind?
        /// For `multiplyTransposed`; also nil when no gradient is computed.
        public var backward: ProductKind?

        /// Both in float32 by default.
        public init(forward: ProductKind? = .float32, backward: ProductKind? = .float32) {
            self.forward = forward
            self.backward = backward
        }

        /// The packs among these that `library` can make.
        public func made(by library: PackingLibrary) -> Packs {
            Packs(
                forward: forward.flatMap { library.packs($0) ? $0 : nil },
                backward: backward.flatMap { library.packs($0) ? $0 : nil })
        }

        /// Whether there are no packs.
        public var isEmpty: Bool { forward == nil && backward == nil }
    }

    /// Bytes that the packs of a matrix of this shape take; each pack starts at a multiple of 64.
    public func packedBytes(_ library: PackingLibrary, _ packs: Packs) throws(PackingError) -> Int {
        let first = try forwardBytes(library, packs)
        guard let kind = packs.backward else { return first }
        return first + (try library.kernels(for: kind).packedBytes(inner: outputWidth, columns: inputWidth))
    }

    /// Uses packs in `memory`, which holds `packedBytes`; with `fills` it writes them there first.
    public mutating func pack(
        _ library: PackingLibrary, _ packs: Packs, into memory: UnsafeMutableRawPointer, fills: Bool
    ) throws(PackingError) {
        try unsafe usePacks(library, packs, in: memory)
        guard fills else { return }
        for product in PackedProduct.allCases { try fillPack(product) }
    }

    /// Uses packs in `memory`, which holds `packedBytes`; before the first product `fillPack` must have filled each.
    public mutating func usePacks(
        _ library: PackingLibrary, _ packs: Packs, in memory: UnsafeMutableRawPointer
    ) throws(PackingError) {
        let second = unsafe memory + (try forwardBytes(library, packs))
        forward = packs.forward.map {
            unsafe PackedWeight(
                inner: inputWidth, columns: outputWidth, kernels: library.kernels(for: $0), memory: memory)
        }
        backward = packs.backward.map {
            unsafe PackedWeight(
                inner: outputWidth, columns: inputWidth, kernels: library.kernels(for: $0), memory: second)
        }
    }

    /// The two products that have packs.
    public enum PackedProduct: CaseIterable, Sendable {
        case forward
        case backward
    }

    /// Whether there is a pack for a product.
    public func hasPack(for product: PackedProduct) -> Bool { pack(for: product) != nil }

    private func pack(for product: PackedProduct) -> PackedWeight? {
        switch product {
        case .forward: forward
        case .backward: backward
        }
    }

    /// Writes the pack for a product, if there is one, into its memory.
    public func fillPack(_ product: PackedProduct) throws(PackingError) {
        guard let pack = pack(for: product) else { return }
        let matrices = parts.map {
            guard let matrix = $0.matrix else { preconditionFailure("only float32 weights are packed") }
            return matrix
        }
        let stacked = parts.count == 1 ? nil : Arena(count: outputWidth * inputWidth)
        defer { withExtendedLifetime(stacked) {} }
        if let stacked {
            var row = 0
            for part in matrices {
                copy(part, into: stacked.matrix(at: row * inputWidth, rows: part.rows, columns: inputWidth))
                row += part.rows
            }
        }
        let whole = stacked?.readOnly.matrix(at: 0, rows: outputWidth, columns: inputWidth) ?? matrices[0]
        try pack.kernels.pack(product == .forward ? .transposed(whole) : .asIs(whole), into: pack)
    }

    private func forwardBytes(_ library: PackingLibrary, _ packs: Packs) throws(PackingError) -> Int {
        guard let kind = packs.forward else { return 0 }
        return try library.kernels(for: kind).packedBytes(inner: inputWidth, columns: outputWidth)
    }

    /// `y = x W^T`: `x: [rows, in]`, overwrites `y: [rows, out]`.
    ///
    /// With `independentRows` a row of `y` has the same bits whatever the other rows are, on every processor: the product uses
    /// the pack if the pack promises that, otherwise the parts with `rowProduct`.
    public func multiply(_ x: Matrix, into y: MutableMatrix, independentRows: Bool = false, _ products: FrozenProducts)
    {
        precondition(x.columns == inputWidth && y.columns == outputWidth && x.rows == y.rows, "product of other shapes")
        if let forward, !independentRows || forward.kernels.hasIndependentRows {
            return products.multiply(x, forward, into: y)
        }
        var column = 0
        for part in parts {
            part.forEachPiece(products) { piece, row in
                let target = y.columns(column + row, piece.rows)
                if independentRows {
                    rowProduct(x, piece, into: target)
                } else {
                    gemm(.asIs(x), .transposed(piece), into: target)
                }
            }
            column += part.rows
        }
    }

    /// `dx = dy W`, the gradient of `multiply`'s input: `dy: [rows, out]`, overwrites `dx: [rows, in]`.
    public func multiplyTransposed(_ dy: Matrix, into dx: MutableMatrix, _ products: FrozenProducts) {
        precondition(
            dy.columns == outputWidth && dx.columns == inputWidth && dy.rows == dx.rows, "product of other shapes")
        if let backward { return products.multiply(dy, backward, into: dx) }
        var column = 0
        for part in parts {
            part.forEachPiece(products) { piece, row in
                let first = column + row
                gemm(.asIs(dy.columns(first, piece.rows)), .asIs(piece), into: dx, beta: first == 0 ? 0 : 1)
            }
            column += part.rows
        }
    }
}
