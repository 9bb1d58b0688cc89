/// Memory for a fixed number of numbers, which are 0 at first. It has one owner, and is freed with it.
///
/// Safe, because it checks every index, as long as nobody touches a number while another thread writes it, which is a promise of
/// the code that shares a buffer. `elements` and slices are valid as long as this value.
@safe public struct NumberBuffer<Number: Numeric & BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    // Unchecked: code that shares a buffer guarantees that nobody touches a number while another thread writes it.

    /// All numbers.
    public let elements: UnsafeMutableBufferPointer<Number>

    /// Allocates `count` numbers; `count` must not be negative. Ends the process when they cannot be allocated (`Memory`).
    public init(count: Int, for purpose: Memory.Purpose = .numbers) {
        precondition(count >= 0, "a negative number of numbers")
        let (bytes, isTooLarge) = count.multipliedReportingOverflow(by: MemoryLayout<Number>.stride)
        let memory = unsafe Memory.allocate(byteCount: isTooLarge ? -1 : bytes, for: purpose)
        let base = unsafe memory.bindMemory(to: Number.self, capacity: count)
        unsafe base.initialize(repeating: 0, count: count)
        unsafe elements = UnsafeMutableBufferPointer(start: base, count: count)
    }

    deinit {
        if let base = unsafe elements.baseAddress { unsafe Memory.free(base) }
    }

    /// Number of numbers.
    public var count: Int { unsafe elements.count }

    /// One number.
    public subscript(index: Int) -> Number {
        get {
            precondition(index >= 0 && index < count, "number outside the buffer")
            return unsafe elements[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "number outside the buffer")
            unsafe elements[index] = newValue
        }
    }

    /// `length` numbers from `start`.
    public func slice(_ start: Int, _ length: Int) -> UnsafeBufferPointer<Number> {
        precondition(start >= 0 && length >= 0 && start + length <= count, "numbers outside the buffer")
        return unsafe UnsafeBufferPointer(rebasing: elements[start..<start + length])
    }
}
