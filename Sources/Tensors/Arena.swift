/// Owns a flat, zeroed, 64-byte aligned array of floats in which a `ParameterLayout` names the parts.
///
/// Several threads may read and write it at the same time, but no element while another thread writes it.
///
/// Safe except for `base` and `elements`: everything else checks its place. Views and addresses are valid as long as this
/// object, which is a promise of the code that makes a view.
@safe public final class Arena: @unchecked Sendable {
    /// Number of elements.
    public let count: Int
    /// The first element.
    public let base: UnsafeMutablePointer<Float>

    /// Allocates `count` zeros; ends the process when the memory cannot be allocated (`Memory`).
    public init(count: Int, for purpose: Memory.Purpose = .numbers) {
        self.count = count
        let (bytes, isTooLarge) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
        let memory = unsafe Memory.allocate(byteCount: isTooLarge ? -1 : bytes, for: purpose)
        unsafe base = memory.initializeMemory(as: Float.self, repeating: 0, count: max(count, 1))
    }

    deinit {
        unsafe Memory.free(base)
    }

    /// All elements.
    public var elements: UnsafeMutableBufferPointer<Float> {
        unsafe UnsafeMutableBufferPointer(start: base, count: count)
    }

    /// The elements of one tensor as a matrix: the last dimension is the columns, all others together the rows.
    public func matrix(_ entry: ParameterLayout.Entry) -> MutableMatrix {
        let columns = entry.shape.last ?? 1
        return matrix(at: entry.offset, rows: columns == 0 ? 0 : entry.count / columns, columns: columns)
    }

    /// A matrix without gaps between rows whose first element is at `offset`.
    public func matrix(at offset: Int, rows: Int, columns: Int) -> MutableMatrix {
        precondition(offset >= 0 && offset + rows * columns <= count, "tensor outside the arena")
        return unsafe MutableMatrix(base + offset, rows: rows, columns: columns)
    }

    /// Sets every element to zero.
    public func clear() {
        unsafe base.update(repeating: 0, count: count)
    }

    /// Overwrites this arena with the elements of another one of the same size.
    public func copy(from other: Arena) {
        precondition(other.count == count, "arenas of different sizes")
        unsafe base.update(from: other.base, count: count)
    }
}
