import TestSupport
import Testing

@testable import Kernels
@testable import Tensors

/// Sizes around the rows and lanes of a panel, the depth beyond which a library computes, and the width of a head.
@Suite struct SmallProductTests {
    private static let sizes = [1, 3, 4, 5, 15, 16, 17, 33, 64, 65, 80]
    private static let orders = [(false, false), (false, true), (true, false), (true, true)]

    init() { BLAS.useOneThread() }

    private let workspace = Workspace()

    /// `a` or its transpose as an operand, with gaps between rows.
    private func operand(_ rows: Int, _ columns: Int, transposed: Bool, seed: UInt64) -> (GuardedMatrix, Operand) {
        let m = transposed ? GuardedMatrix(columns, rows, seed: seed) : GuardedMatrix(rows, columns, seed: seed)
        return (m, transposed ? .transposed(m.readOnly) : .asIs(m.readOnly))
    }

    /// `sum_l a[i, l] b[l, j]` in double precision.
    private func sum(_ a: Operand, _ b: Operand, _ i: Int, _ j: Int) -> Double {
        func element(_ x: Operand, _ r: Int, _ c: Int) -> Double {
            switch x {
            case .asIs(let m): Double(m[r, c])
            case .transposed(let m): Double(m[c, r])
            }
        }
        return (0..<a.shape.1).reduce(0) { $0 + element(a, i, $1) * element(b, $1, j) }
    }

    /// There are k products of size about 1; each sum is rounded by 6e-8 of about sqrt(k).
    private func bound(_ k: Int, _ alpha: Float) -> Double {
        4e-6 * Double(alpha.magnitude) * Double(k).squareRoot() + 4e-6
    }

    @Test(arguments: orders)
    func `products are those of double precision, overwriting or adding`(transposed: (a: Bool, b: Bool)) {
        for (m, n, k) in Self.sizes.flatMap({ m in Self.sizes.flatMap { n in Self.sizes.map { (m, n, $0) } } }) {
            let (a, left) = operand(m, k, transposed: transposed.a, seed: 1)
            let (b, right) = operand(k, n, transposed: transposed.b, seed: 2)
            for (alpha, adds) in [(1, false), (-0.75, true)] as [(Float, Bool)] {
                // Overwriting must not depend on the old content.
                let c = GuardedMatrix(m, n) { r, c in adds ? Float(r - c) : .nan }
                smallProduct(left, right, into: c.view, alpha: alpha, adding: adds, workspace)
                var worst = 0.0
                for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 2), (m - 1, 0), (0, n - 1)] {
                    let expected = Double(alpha) * sum(left, right, i, j) + (adds ? Double(i - j) : 0)
                    worst = larger(worst, (Double(c.view[i, j]) - expected).magnitude)
                }
                #expect(worst <= bound(k, alpha) + (adds ? 1e-5 : 0), "\(m) \(n) \(k) \(alpha)")
                #expect(c.values.allSatisfy(\.isFinite) && c.gapsAreIntact && a.gapsAreIntact && b.gapsAreIntact)
            }
        }
    }

    /// Only a transposed operand is packed; the others are read as they are.
    @Test(arguments: [false, true])
    func `an operand that was packed before gives the same bits`(transposed: Bool) {
        for (m, n, k) in [(1, 1, 1), (13, 8, 30), (13, 24, 64), (50, 9, 768), (7, 40, 17)] {
            let (a, left) = operand(m, k, transposed: transposed, seed: 1)
            let (b, right) = operand(k, n, transposed: true, seed: 2)
            let (c, d) = (GuardedMatrix(m, n, seed: 3), GuardedMatrix(m, n, seed: 3))
            let packed = PackedOperand(right, workspace)
            for adds in [false, true] {
                smallProduct(left, right, into: c.view, alpha: 0.75, adding: adds, workspace)
                smallProduct(left, packed, into: d.view, alpha: 0.75, adding: adds, workspace)
            }
            #expect(c.values == d.values && d.gapsAreIntact && a.gapsAreIntact && b.gapsAreIntact, "\(m) \(n) \(k)")
        }
    }

    @Test func `an outer product of parts is that of the whole`() {
        let (a, b) = (GuardedMatrix(70, 9, seed: 1), GuardedMatrix(70, 33, seed: 2))
        let (whole, parts) = (GuardedMatrix(9, 33, seed: 3), GuardedMatrix(9, 33, seed: 3))
        sumOuterProduct(a.readOnly, b.readOnly, in: whole.view)
        for (start, count) in [(0, 31), (31, 1), (32, 0), (32, 38)] {
            sumOuterProduct(a.readOnly.rows(start, count), b.readOnly.rows(start, count), in: parts.view)
        }
        #expect(whole.values == parts.values && parts.gapsAreIntact)
    }

    /// This makes a step independent of how the examples are distributed.
    @Test(arguments: orders)
    func `an element has the same bits whatever the other rows and columns`(transposed: (a: Bool, b: Bool)) {
        let (m, n, k) = (13, 37, 64)
        let (a0, left) = operand(m, k, transposed: transposed.a, seed: 3)
        let (b0, right) = operand(k, n, transposed: transposed.b, seed: 4)
        let whole = GuardedMatrix(m, n, seed: 5)
        smallProduct(left, right, into: whole.view, workspace)
        for rows in 1...m {
            for columns in [1, 16, 20, n] {
                let part = GuardedMatrix(rows, columns, seed: 6)
                let a: Operand =
                    transposed.a
                    ? .transposed(left.matrix.columns(m - rows, rows)) : .asIs(left.matrix.rows(m - rows, rows))
                let b: Operand =
                    transposed.b
                    ? .transposed(right.matrix.rows(n - columns, columns))
                    : .asIs(right.matrix.columns(n - columns, columns))
                smallProduct(a, b, into: part.view, workspace)
                #expect(part.values == whole.readOnly.rows(m - rows, rows).columns(n - columns, columns).copied())
            }
        }
        #expect(a0.gapsAreIntact && b0.gapsAreIntact)
    }

    @Test func `a depth of nothing is zero, or adds nothing`() {
        let (a, b) = (GuardedMatrix(3, 0, seed: 1), GuardedMatrix(0, 5, seed: 2))
        let c = GuardedMatrix(3, 5) { _, _ in .nan }
        smallProduct(.asIs(a.readOnly), .asIs(b.readOnly), into: c.view, workspace)
        #expect(c.values == [Float](repeating: 0, count: 15))
    }

    @Test(arguments: [false, true])
    func `an outer product adds to what is there, as given or transposed`(transposed: Bool) {
        for (k, m, n) in Self.sizes.flatMap({ k in [1, 3, 4, 8, 17].flatMap { m in Self.sizes.map { (k, m, $0) } } }) {
            let (a, b) = (GuardedMatrix(k, m, seed: 7), GuardedMatrix(k, n, seed: 8))
            let c = transposed ? GuardedMatrix(n, m, seed: 9) : GuardedMatrix(m, n, seed: 9)
            let before = c.values
            addOuterProduct(
                a.readOnly, b.readOnly, to: c.view, transposed: transposed, alpha: 0.5, workspace)
            let expected = (0..<c.view.rows * c.view.columns).map { index in
                let (r, s) = (index / c.view.columns, index % c.view.columns)
                let (i, j) = transposed ? (s, r) : (r, s)
                return Double(before[index]) + 0.5 * sum(.transposed(a.readOnly), .asIs(b.readOnly), i, j)
            }
            #expect(largestDifference(c.values, expected) <= bound(k, 0.5) + 1e-6, "\(k) \(m) \(n)")
            #expect(c.gapsAreIntact && a.gapsAreIntact && b.gapsAreIntact)
        }
    }

    @Test func `memory goes back to the workspace`() {
        let before = workspace.mark.used
        let (a, b) = (GuardedMatrix(5, 20, seed: 1), GuardedMatrix(9, 20, seed: 2))
        let (c, d) = (GuardedMatrix(5, 9, seed: 3), GuardedMatrix(20, 9, seed: 4))
        smallProduct(.asIs(a.readOnly), .transposed(b.readOnly), into: c.view, workspace)
        addOuterProduct(c.readOnly, a.readOnly, to: d.view, transposed: true, workspace)
        #expect(workspace.mark.used == before && workspace.mark.block == 0 && [a, b, c, d].allSatisfy(\.gapsAreIntact))
    }
}
