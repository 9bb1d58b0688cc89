import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite struct FrozenWeightTests {
    init() { BLAS.useOneThread() }

    /// A weight of normally distributed numbers, rounded, and its bfloat16 form; both live as long as this object.
    private final class Rounded {
        let matrix: GuardedMatrix
        private let halves: UnsafeMutablePointer<UInt16>

        init(_ rows: Int, _ columns: Int, seed: UInt64) {
            let exact = GuardedMatrix(rows, columns, seed: seed)
            let bits = exact.values.map(bfloat16(nearest:))
            halves = .allocate(capacity: bits.count)
            halves.initialize(from: bits, count: bits.count)
            matrix = GuardedMatrix(rows, columns) { floatFromBFloat16(bits[$0 * columns + $1]) }
        }

        deinit { halves.deallocate() }

        var weight: FrozenWeight { .bfloat16(halves, rows: matrix.view.rows, columns: matrix.view.columns) }
    }

    @Test(arguments: laneSizes)
    func `expanded numbers are exact, and rows are gathered and added`(columns: Int) {
        let rounded = Rounded(5, columns, seed: 1)
        #expect(rounded.weight.copied() == rounded.matrix.values)
        #expect(FrozenWeight.float32(rounded.matrix.readOnly).copied() == rounded.matrix.values)
        let ids: [Int32] = [4, 0, 4, 2]
        for weight in [rounded.weight, .float32(rounded.matrix.readOnly)] {
            let y = GuardedMatrix(ids.count, columns) { _, _ in .nan }
            ids.withUnsafeBufferPointer { gatherRows(weight, $0.baseAddress!, into: y.view) }
            #expect(y.values == ids.flatMap { rounded.matrix.readOnly.rows(Int($0), 1).copied() } && y.gapsAreIntact)
            let sum = GuardedMatrix(1, columns) { _, _ in 1 }
            weight.addRow(3, to: sum.row)
            #expect(sum.values == rounded.matrix.readOnly.rows(3, 1).copied().map { 1 + $0 } && sum.gapsAreIntact)
        }
    }

    /// Shapes with one piece and with several, the last one short; two parts, like projections that read the same input.
    @Test(arguments: [(3, 5, 7), (40, 300, 64), (11, 1000, 300), (2, 70, 5000)])
    func `products are those of the expanded weights`(rows: Int, height: Int, width: Int) {
        let (first, second) = (Rounded(height, width, seed: 2), Rounded(height + 3, width, seed: 3))
        let kept = FrozenMatrix([first.weight, second.weight])
        let expanded = FrozenMatrix([.float32(first.matrix.readOnly), .float32(second.matrix.readOnly)])
        let products = FrozenProducts()
        let x = GuardedMatrix(rows, width, seed: 4)
        let all = 2 * height + 3
        let (y, expectedY) = (GuardedMatrix(rows, all, seed: 5), GuardedMatrix(rows, all, seed: 6))
        kept.multiply(x.readOnly, into: y.view, products)
        expanded.multiply(x.readOnly, into: expectedY.view, products)
        // Products of normally distributed numbers, summed in another order: each sum is rounded by 6e-8 of about sqrt(depth);
        // dy itself has the size sqrt(width).
        let scale = Double(width).squareRoot()
        #expect(largestDifference(y.values, expectedY.doubles) <= 4e-6 * scale && y.gapsAreIntact)
        let (dx, expectedDx) = (GuardedMatrix(rows, width) { _, _ in .nan }, GuardedMatrix(rows, width, seed: 7))
        kept.multiplyTransposed(expectedY.readOnly, into: dx.view, products)
        expanded.multiplyTransposed(expectedY.readOnly, into: expectedDx.view, products)
        let depth = Double(all).squareRoot()
        #expect(largestDifference(dx.values, expectedDx.doubles) <= 4e-6 * scale * depth && dx.gapsAreIntact)
    }

    /// The numbers are apart by powers of two, so that ties are exact.
    @Test func `rounding goes to the nearest, ties to even, and beyond the largest to infinity`() {
        #expect(floatFromBFloat16(bfloat16(nearest: 1 + 0x1p-8)) == 1)
        #expect(floatFromBFloat16(bfloat16(nearest: 1 + 3 * 0x1p-8)) == 1 + 0x1p-6)
        #expect(floatFromBFloat16(bfloat16(nearest: -(1 + 0x1p-8 + 0x1p-20))) == -(1 + 0x1p-7))
        #expect(floatFromBFloat16(bfloat16(nearest: Float.greatestFiniteMagnitude)) == .infinity)
        #expect(bfloat16(nearest: -0.0) == 0x8000 && bfloat16(nearest: 0x1p-133) == 1)
        for bits in UInt16.min...0x7F80 {
            #expect(bfloat16(nearest: floatFromBFloat16(bits)) == bits)
        }
    }
}
