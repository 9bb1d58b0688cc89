import CIntegerProducts
import Tensors

/// A packed operand of 8 bits: first the factors of its columns, then the numbers in the layout of its kernels.
extension PackedWeight {
    /// Bytes of the factors; their number is rounded up to a multiple of sixteen.
    static func factorBytes(columns: Int) -> Int { (columns * MemoryLayout<Float>.stride + 63) & ~63 }

    /// `factors: [columns]`: the sum of column j is multiplied by `factors[j]`.
    var factors: UnsafeMutablePointer<Float> { unsafe memory.assumingMemoryBound(to: Float.self) }

    /// The numbers.
    var numbers: UnsafeMutableRawPointer { unsafe memory + Self.factorBytes(columns: columns) }

    /// The longest sum of 8-bit products that always fits in 32 bits.
    static let longestSum = 2 * Int(cintegerproducts_most_pairs)

    /// Throws when sums of `inner` products may not fit in 32 bits.
    static func checkSums(of inner: Int) throws(PackingError) {
        guard inner <= longestSum else {
            throw PackingError("sums of \(inner) products of 8 bits may not fit in 32; use model.products: float32")
        }
    }

    /// Rounds an operand column by column, overwrites `factors`, and calls `body` with the numbers, `[columns, inner]`.
    func quantise<Refusal: Error>(
        _ operand: Operand, _ body: (UnsafePointer<Int8>) throws(Refusal) -> Void
    ) throws(Refusal) {
        let memory = unsafe Memory.allocate(byteCount: inner * columns, for: .frozenWeights)
        defer { unsafe Memory.free(memory) }
        let quantised = unsafe memory.bindMemory(to: Int8.self, capacity: inner * columns)
        let (base, strides) = unsafe (operand.matrix.base, operand.strides)
        if strides.row == 1 {
            for j in 0..<columns {
                unsafe factors[j] = quantiseRow(base + j * strides.column, into: quantised + j * inner, inner)
            }
            return try unsafe body(quantised)
        }
        // Sixteen columns at a time, because the numbers of a row are beside each other.
        let some = Arena(count: 16 * inner)
        for first in stride(from: 0, to: columns, by: 16) {
            let count = min(16, columns - first)
            for i in 0..<inner {
                let row = unsafe base + i * strides.row + first * strides.column
                for j in 0..<count { unsafe some.base[j * inner + i] = row[j * strides.column] }
            }
            for j in 0..<count {
                unsafe factors[first + j] = quantiseRow(
                    some.base + j * inner, into: quantised + (first + j) * inner, inner)
            }
        }
        try unsafe body(quantised)
    }
}

/// One thread's rows rounded to 8 bits, in memory that is reused.
final class QuantisedRows {
    private var memory: Arena?
    /// The sums of row r are multiplied by `factors[r]`; valid for the last call of `quantise`.
    private(set) var factors: [Float] = []

    /// Rounds the rows of `x: [rows, columns]` and fills each with zeros up to `width`; valid until the next call. Stores the
    /// rows' factors in `factors`.
    @inline(__always)
    func quantise<Whole: FixedWidthInteger & SIMDScalar & BitwiseCopyable>(
        _ x: Matrix, width: Int, as type: Whole.Type
    ) -> UnsafeMutablePointer<Whole> {
        let floats = (x.rows * width * MemoryLayout<Whole>.stride + 3) / MemoryLayout<Float>.stride
        // Memory that is too small is freed before the larger block is allocated.
        if let small = memory, small.count < floats { memory = nil }
        let room = memory ?? Arena(count: floats, for: .activations)
        memory = room
        if factors.count < x.rows { factors = [Float](repeating: 0, count: x.rows) }
        let base = unsafe UnsafeMutableRawPointer(room.base).bindMemory(to: type, capacity: x.rows * width)
        for r in 0..<x.rows {
            let row = unsafe base + r * width
            factors[r] = unsafe Kernels.quantise(x.row(r), into: row, x.columns)
            unsafe (row + x.columns).update(repeating: 0, count: width - x.columns)
        }
        return unsafe base
    }
}
