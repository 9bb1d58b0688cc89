public import Tensors

/// Which rows of a matrix belong to which example: ragged, without padding.
///
/// The arrays live in a workspace or in a batch that outlives the view. Safe except for the addresses: every
/// segment that is asked for is checked.
@safe public struct Segments: @unchecked Sendable {
    /// Number of segments.
    public let count: Int
    /// First row of each segment.
    public let starts: UnsafePointer<Int32>
    /// Rows of each segment.
    public let lengths: UnsafePointer<Int32>
    /// The example of the micro-batch that each segment belongs to.
    public let examples: UnsafePointer<Int32>

    /// Makes `count` segments in `workspace` from functions of the segment's number.
    public init(
        _ count: Int, in workspace: Workspace, start: (Int) -> Int, length: (Int) -> Int, example: (Int) -> Int
    ) {
        let memory = unsafe workspace.take(Int32.self, 3 * count)
        for i in 0..<count {
            unsafe memory[i] = Int32(start(i))
            unsafe memory[count + i] = Int32(length(i))
            unsafe memory[2 * count + i] = Int32(example(i))
        }
        self.count = count
        unsafe starts = UnsafePointer(memory)
        unsafe lengths = UnsafePointer(memory + count)
        unsafe examples = UnsafePointer(memory + 2 * count)
    }

    /// Segments of consecutive rows, `lengths[i]` rows for example i.
    public init(lengths: [Int], in workspace: Workspace) {
        var next = 0
        self.init(
            lengths.count, in: workspace,
            start: { segment in
                defer { next += lengths[segment] }
                return next
            }, length: { lengths[$0] }, example: { $0 })
    }

    /// First row of segment `i`.
    @inlinable
    public func start(_ i: Int) -> Int {
        check(i)
        return unsafe Int(starts[i])
    }

    /// Rows of segment `i`.
    @inlinable
    public func length(_ i: Int) -> Int {
        check(i)
        return unsafe Int(lengths[i])
    }

    /// Example of segment `i`.
    @inlinable
    public func example(_ i: Int) -> Int {
        check(i)
        return unsafe Int(examples[i])
    }

    @inlinable @inline(__always)
    func check(_ i: Int) { precondition(i >= 0 && i < count, "segment out of range") }
}
