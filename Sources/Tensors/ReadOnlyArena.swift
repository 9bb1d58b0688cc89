/// An arena for code that only reads it. It keeps the arena alive; views and addresses are valid as long as the arena.
///
/// Others may write to the arena, but not while somebody reads.
public struct ReadOnlyArena: Sendable {
    private let arena: Arena

    /// Creates a view of an arena.
    init(_ arena: Arena) { self.arena = arena }

    /// Number of elements.
    public var count: Int { arena.count }

    /// The first element.
    public var base: UnsafePointer<Float> { unsafe UnsafePointer(arena.base) }

    /// All elements.
    public var elements: UnsafeBufferPointer<Float> { unsafe UnsafeBufferPointer(arena.elements) }

    /// The elements of one tensor as a matrix: the last dimension is the columns, all others together the rows.
    public func matrix(_ entry: ParameterLayout.Entry) -> Matrix { arena.matrix(entry).readOnly }

    /// A matrix without gaps between rows whose first element is at `offset`.
    public func matrix(at offset: Int, rows: Int, columns: Int) -> Matrix {
        arena.matrix(at: offset, rows: rows, columns: columns).readOnly
    }
}

extension Arena {
    /// The arena for code that only reads it.
    public var readOnly: ReadOnlyArena { ReadOnlyArena(self) }
}
