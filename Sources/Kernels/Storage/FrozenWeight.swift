public import Failures
public import Tensors

/// A frozen weight `[rows, columns]` in its storage format, in memory that another object owns; only read. A view like
/// `Matrix`: making one from an address is unsafe; every row that is asked for is checked.
@safe public struct FrozenWeight: @unchecked Sendable {
    /// The format.
    public let format: WeightFormat
    /// Number of rows.
    public let rows: Int
    /// Number of columns.
    public let columns: Int
    private let base: UnsafeRawPointer
    /// Numbers from one row to the next; always `columns` except in float32.
    private let stride: Int

    private init(_ base: UnsafeRawPointer, _ format: WeightFormat, rows: Int, columns: Int, stride: Int? = nil) {
        unsafe self.base = base
        self.format = format
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    /// A weight that views a matrix.
    public static func float32(_ matrix: Matrix) -> FrozenWeight {
        unsafe FrozenWeight(matrix.base, .float32, rows: matrix.rows, columns: matrix.columns, stride: matrix.stride)
    }

    /// Numbers in bfloat16 without gaps between rows; they are expanded piece by piece when they are used.
    public static func bfloat16(_ base: UnsafePointer<UInt16>, rows: Int, columns: Int) -> FrozenWeight {
        unsafe FrozenWeight(base, .bfloat16, rows: rows, columns: columns)
    }

    /// A tensor in its mapped file; nil unless the file has it in this format and aligned. The last dimension is `columns`.
    public init?(mapped tensor: TensorDescription, of file: SafetensorsFile, as format: WeightFormat) {
        guard let base = unsafe format.elements.mapped(tensor, of: file) else { return nil }
        unsafe self.init(base, format, rows: Self.rows(tensor), columns: tensor.shape.last ?? 1)
    }

    /// A tensor in `format.byteCount(tensor.count)` bytes of other memory; with `fills` that memory is overwritten with it
    /// first.
    public init(
        _ tensor: TensorDescription, of file: SafetensorsFile, as format: WeightFormat,
        at memory: UnsafeMutableRawPointer, fills: Bool
    ) throws(Failure) {
        if fills { try unsafe format.elements.convert(tensor, of: file, into: memory) }
        unsafe self.init(memory, format, rows: Self.rows(tensor), columns: tensor.shape.last ?? 1)
    }

    private static func rows(_ tensor: TensorDescription) -> Int { tensor.shape.dropLast().reduce(1, *) }

    /// The weight as a matrix when it is stored in float32, otherwise nil.
    public var matrix: Matrix? {
        guard format == .float32 else { return nil }
        return unsafe Matrix(base.assumingMemoryBound(to: Float.self), rows: rows, columns: columns, stride: stride)
    }

    func row(_ index: Int) -> UnsafeRawPointer {
        precondition(index >= 0 && index < rows, "row outside the weight")
        return unsafe base + format.byteCount(index * stride)
    }

    /// All elements, row by row.
    public func copied() -> [Float] {
        let elements = format.elements
        return unsafe [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
            count = rows * columns
            guard let target = buffer.baseAddress else { return }
            for index in 0..<rows { unsafe elements.expand(row(index), columns, into: target + index * columns) }
        }
    }

    /// Overwrites `target: [rows * columns]` with all elements, row by row.
    public func copy(into target: UnsafeMutablePointer<Float>) {
        for index in 0..<rows { unsafe format.elements.expand(row(index), columns, into: target + index * columns) }
    }

    /// Adds row `index` to `y: [columns]`.
    public func addRow(_ index: Int, to y: UnsafeMutablePointer<Float>) {
        precondition(index >= 0 && index < rows, "row outside the weight")
        unsafe format.elements.add(row(index), columns, to: y)
    }

    /// Overwrites `y: [columns]` with row `index`.
    func expandRow(_ index: Int, into y: UnsafeMutablePointer<Float>) {
        precondition(index >= 0 && index < rows, "row outside the weight")
        unsafe format.elements.expand(row(index), columns, into: y)
    }
}

/// Row `i` of `y` = row `ids[i]` of `table`: overwrites `y: [count, columns]`.
public func gatherRows(_ table: FrozenWeight, _ ids: UnsafePointer<Int32>, into y: MutableMatrix) {
    precondition(table.columns == y.columns, "gather between different widths")
    for r in 0..<y.rows {
        let id = unsafe Int(ids[r])
        precondition(id >= 0 && id < table.rows, "token id outside the embedding")
        unsafe table.expandRow(id, into: y.row(r))
    }
}
