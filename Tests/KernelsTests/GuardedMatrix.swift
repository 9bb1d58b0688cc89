import Randomness
import Tensors

/// Sizes around the sixteen lanes of the kernels and the 64 columns of a dropout chunk.
let laneSizes = [1, 15, 16, 17, 63, 64, 65]

/// A matrix whose rows are followed by gaps with one NaN pattern: reading beyond a row makes the result NaN, and
/// `gapsAreIntact` detects writing there.
final class GuardedMatrix {
    let view: MutableMatrix
    private let memory: UnsafeMutableBufferPointer<Float>
    private static let pattern: UInt32 = 0x7FC0_BEEF
    private static let gap = 3

    /// Element (r, c) is `value(r, c)`.
    init(_ rows: Int, _ columns: Int, _ value: (Int, Int) -> Float) {
        let stride = columns + Self.gap
        memory = .allocate(capacity: rows * stride + Self.gap)
        memory.initialize(repeating: Float(bitPattern: Self.pattern))
        view = MutableMatrix(memory.baseAddress! + Self.gap, rows: rows, columns: columns, stride: stride)
        for r in 0..<rows {
            for c in 0..<columns {
                view[r, c] = value(r, c)
            }
        }
    }

    /// Numbers from a normal distribution; the same for the same seed.
    convenience init(_ rows: Int, _ columns: Int, seed: UInt64, deviation: Double = 1) {
        var stream = RandomStream(seed: seed, purpose: .test)
        self.init(rows, columns) { _, _ in Float(stream.normal() * deviation) }
    }

    deinit { memory.deallocate() }

    var gapsAreIntact: Bool {
        let stride = view.columns + Self.gap
        return memory.indices.allSatisfy { index in
            let isGap = index < Self.gap || (index - Self.gap) % stride >= view.columns
            return !isGap || memory[index].bitPattern == Self.pattern
        }
    }

    /// The view for reading.
    var readOnly: Matrix { view.readOnly }
    /// The first row.
    var row: UnsafeMutablePointer<Float> { view.row(0) }
    /// All elements, row by row.
    var values: [Float] { readOnly.copied() }
    /// All elements as doubles.
    var doubles: [Double] { values.map(Double.init) }
    /// Row r as doubles.
    func doubles(row r: Int) -> [Double] { readOnly.rows(r, 1).copied().map(Double.init) }
}

/// Central differences of a function in double precision: accurate to about 1e-9 of the function's curvature.
func numericalGradient(at x: [Double], _ function: ([Double]) -> Double) -> [Double] {
    let h = 1e-5
    var moved = x
    return x.indices.map { i in
        moved[i] = x[i] + h
        let above = function(moved)
        moved[i] = x[i] - h
        let below = function(moved)
        moved[i] = x[i]
        return (above - below) / (2 * h)
    }
}
