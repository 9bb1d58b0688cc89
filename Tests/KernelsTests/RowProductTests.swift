import Randomness
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Products whose rows do not depend on their neighbours.
@Suite struct RowProductTests {
    /// Sizes around pairs of rows, four columns, eight lanes, and the number of rows in a block.
    private static let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 64, 65]

    init() { BLAS.useOneThread() }

    @Test(arguments: [(1, false), (-0.75, true)] as [(Float, Bool)])
    func `products are those of double precision, overwriting or adding`(alpha: Float, adds: Bool) {
        for (m, n, k) in Self.sizes.flatMap({ m in Self.sizes.flatMap { n in [0, 100, 600].map { (m, n, $0) } } })
            + Self.sizes.map({ (50, 9, $0) })
        {
            let (x, w) = (GuardedMatrix(m, k, seed: 1), GuardedMatrix(n, k, seed: 2))
            // Overwriting must not depend on the old content.
            let y = GuardedMatrix(m, n) { r, c in adds ? Float(r - c) : .nan }
            rowProduct(x.readOnly, w.readOnly, into: y.view, alpha: alpha, adding: adds)
            let expected = (0..<m * n).map { index in
                let (i, j) = (index / n, index % n)
                let sum = (0..<k).reduce(0.0) { $0 + Double(x.view[i, $1]) * Double(w.view[j, $1]) }
                return Double(alpha) * sum + (adds ? Double(i - j) : 0)
            }
            #expect(largestDifference(y.values, expected) <= 2e-6 * Double(k).squareRoot() + 1e-5, "\(m) \(n) \(k)")
            #expect(y.gapsAreIntact && x.gapsAreIntact && w.gapsAreIntact)
        }
    }

    @Test(arguments: [1, 12, 65, 513, 2048])
    func `an element has the same bits whatever rows and columns stand beside it`(k: Int) {
        let (m, n) = (53, 11)
        let (x, w) = (GuardedMatrix(m, k, seed: 3), GuardedMatrix(n, k, seed: 4))
        let whole = GuardedMatrix(m, n, seed: 5)
        rowProduct(x.readOnly, w.readOnly, into: whole.view)
        for rows in [1, 2, 3, 4, 7, 16, 31, 52] {
            for start in [0, 1, m - rows] where start + rows <= m {
                for (first, columns) in [(0, n), (3, 1), (5, 6)] {
                    let part = GuardedMatrix(rows, columns, seed: 6)
                    rowProduct(x.readOnly.rows(start, rows), w.readOnly.rows(first, columns), into: part.view)
                    let own = whole.readOnly.rows(start, rows).columns(first, columns).copied()
                    #expect(part.values.map(\.bitPattern) == own.map(\.bitPattern), "\(rows) rows from \(start)")
                }
            }
        }
    }

    /// Deep and wide products, which `smallProduct` would leave to OpenBLAS.
    @Test(arguments: [(100, 70), (65, 65), (64, 300), (300, 12)])
    func `a small product of independent rows has the same bits alone and beside others`(k: Int, n: Int) {
        let workspace = Workspace()
        let (a, w, wide) = (GuardedMatrix(37, k, seed: 7), GuardedMatrix(n, k, seed: 8), GuardedMatrix(k, n, seed: 9))
        for b in [Operand.transposed(w.readOnly), .asIs(wide.readOnly)] {
            let whole = GuardedMatrix(37, n) { _, _ in 2 }
            smallProduct(
                .asIs(a.readOnly), b, into: whole.view, alpha: 0.5, adding: true, independentRows: true, workspace)
            for row in [0, 5, 36] {
                let own = GuardedMatrix(1, n) { _, _ in 2 }
                smallProduct(
                    .asIs(a.readOnly.rows(row, 1)), b, into: own.view, alpha: 0.5, adding: true, independentRows: true,
                    workspace)
                #expect(own.values.map(\.bitPattern) == whole.readOnly.rows(row, 1).copied().map(\.bitPattern))
            }
        }
    }

    /// A frozen matrix of two parts: computed on the parts, on the parts in bfloat16, and on its packs.
    @Test(arguments: [(12, 10), (33, 23), (512, 96), (700, 40)])
    func `a frozen product of independent rows has the same bits alone and beside others`(k: Int, n: Int) throws {
        let (top, bottom) = (GuardedMatrix(n, k, seed: 1), GuardedMatrix(3, k, seed: 2))
        let contiguous = [top, bottom].map { part in
            let arena = Arena(count: part.view.count)
            copy(part.readOnly, into: MutableMatrix(arena.base, rows: part.view.rows, columns: k))
            return arena
        }
        let halves = contiguous.map { $0.elements.map { UInt16($0.bitPattern >> 16) } }
        let floats = FrozenMatrix(zip(contiguous, [n, 3]).map { .float32(Matrix($0.base, rows: $1, columns: k)) })
        let x = Arena(count: 41 * k)
        var stream = RandomStream(seed: 3, purpose: .test)
        for i in 0..<x.count { x.base[i] = Float(stream.normal()) }
        try halves[0].withUnsafeBufferPointer { first in
            try halves[1].withUnsafeBufferPointer { second in
                let narrow = FrozenMatrix([
                    .bfloat16(try #require(first.baseAddress), rows: n, columns: k),
                    .bfloat16(try #require(second.baseAddress), rows: 3, columns: k),
                ])
                for matrix in [floats, narrow] { expectSameRows(matrix, x, FrozenProducts()) }
            }
        }
        for library in [.integers] + (OneDNN.isInBuild ? [try PackingLibrary.oneDNN()] : []) {
            for precision in [ProductKind.float32, .int8] where precision == .int8 || library.packs(.float32) {
                var packed = floats
                let packs = FrozenMatrix.Packs(forward: precision, backward: nil)
                let memory = UnsafeMutableRawPointer.allocate(
                    byteCount: try packed.packedBytes(library, packs), alignment: 64)
                defer { memory.deallocate() }
                try packed.pack(library, packs, into: memory, fills: true)
                expectSameRows(packed, x, FrozenProducts())
            }
        }
        withExtendedLifetime(contiguous) {}
    }

    private func expectSameRows(_ matrix: FrozenMatrix, _ x: Arena, _ products: FrozenProducts) {
        let (k, n) = (matrix.inputWidth, matrix.outputWidth)
        func product(_ start: Int, _ rows: Int) -> [UInt32] {
            let y = Arena(count: rows * n)
            let input = Matrix(x.base + start * k, rows: rows, columns: k)
            matrix.multiply(input, into: MutableMatrix(y.base, rows: rows, columns: n), independentRows: true, products)
            return y.elements.map(\.bitPattern)
        }
        let whole = product(0, 41)
        for rows in [1, 2, 3, 5, 8, 13, 40] {
            for start in [0, 41 - rows] {
                #expect(
                    product(start, rows) == Array(whole[start * n..<(start + rows) * n]),
                    "\(rows) rows from \(start) of \(k) x \(n)")
            }
        }
    }
}
