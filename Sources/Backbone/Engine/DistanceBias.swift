/// Numbers by head and distance (key position - query position), such that a row of scores reads a contiguous row: `[heads, 2 *
/// reach - 1]`, starting with the distance `-(reach - 1)`.
public struct DistanceBias: @unchecked Sendable {
    private let base: UnsafePointer<Float>
    private let reach: Int

    /// A view of numbers that serve positions below `reach`.
    public init(_ base: UnsafePointer<Float>, reach: Int) {
        self.base = base
        self.reach = reach
    }

    /// The numbers of a query at position `query`, for the keys at positions 0, 1, ...
    public func row(head: Int, query: Int) -> UnsafePointer<Float> {
        base + Self.offset(head: head, query: query, reach: reach)
    }

    /// Where a row begins.
    fileprivate static func offset(head: Int, query: Int, reach: Int) -> Int {
        precondition(query < reach, "position beyond the relative position bias")
        return head * (2 * reach - 1) + reach - 1 - query
    }
}

/// Where the gradients of such numbers are added, in the same order.
public struct DistanceBiasGradient: @unchecked Sendable {
    private let base: UnsafeMutablePointer<Float>
    private let reach: Int

    /// A view of the gradients of numbers that serve positions below `reach`.
    public init(_ base: UnsafeMutablePointer<Float>, reach: Int) {
        self.base = base
        self.reach = reach
    }

    /// The gradients of `DistanceBias.row`.
    func row(head: Int, query: Int) -> UnsafeMutablePointer<Float> {
        base + DistanceBias.offset(head: head, query: query, reach: reach)
    }
}
