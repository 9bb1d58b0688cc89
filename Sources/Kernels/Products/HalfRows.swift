import Tensors

/// One thread's rows rounded to bfloat16, in memory that is reused.
final class HalfRows {
    private var memory: Arena?

    /// Rounds the rows of `x`, which have no gaps between them, to the nearest; valid until the next call. A NaN stays one.
    func round(_ x: Matrix) -> UnsafeMutablePointer<UInt16> {
        let count = x.rows * x.columns
        let floats = (count + 1) / 2
        if let small = memory, small.count < floats { memory = nil }
        let room = memory ?? Arena(count: floats, for: .activations)
        memory = room
        let halves = unsafe UnsafeMutableRawPointer(room.base).bindMemory(to: UInt16.self, capacity: count)
        let numbers = unsafe x.base
        for i in 0..<count {
            let value = unsafe numbers[i]
            // Rounding could carry a NaN over into infinity.
            let upper = UInt16(truncatingIfNeeded: value.bitPattern >> 16) | 0x40
            unsafe halves[i] = value.isNaN ? upper : bfloat16(nearest: value)
        }
        return unsafe halves
    }
}
