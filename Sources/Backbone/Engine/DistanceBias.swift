public import Tensors

/// Numbers by head and distance (key position - query position), such that a row of scores reads a contiguous row: `[heads, 2 *
/// reach - 1]`, starting with the distance `-(reach - 1)`.
public struct DistanceBias: Sendable {
    private let numbers: Matrix

    /// A view of numbers that serve positions below `reach`.
    public init(_ numbers: Matrix) { self.numbers = numbers }

    /// The numbers of a query at position `query`, for the keys at positions 0, 1, ... Those of each of the `count` queries from
    /// there on begin one element earlier than those of the query before.
    public func row(head: Int, query: Int, count: Int = 1) -> UnsafePointer<Float> {
        _ = Self.start(numbers.columns, query + count - 1)
        return unsafe numbers.row(head) + Self.start(numbers.columns, query)
    }

    /// Where the row of a query begins in that of its head.
    fileprivate static func start(_ columns: Int, _ query: Int) -> Int {
        let reach = (columns + 1) / 2
        precondition(query < reach, "position beyond the relative position bias")
        return reach - 1 - query
    }
}

/// Where the gradients of such numbers are added, in the same order.
public struct DistanceBiasGradient: Sendable {
    private let numbers: MutableMatrix

    /// A view of the gradients of numbers that serve positions below `reach`.
    public init(_ numbers: MutableMatrix) { self.numbers = numbers }

    /// The gradients of `DistanceBias.row`.
    func row(head: Int, query: Int) -> UnsafeMutablePointer<Float> {
        unsafe numbers.row(head) + DistanceBias.start(numbers.columns, query)
    }
}
