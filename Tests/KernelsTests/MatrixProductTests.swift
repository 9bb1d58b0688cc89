import Kernels
import Tensors
import TestSupport
import Testing

@Suite struct MatrixProductTests {
    private static let sizes = [1, 15, 16, 17, 65]

    init() { BLAS.useOneThread() }

    /// `alpha a b + beta c` in double precision; a flag transposes an operand.
    private func product(
        _ a: Matrix, _ transposesA: Bool, _ b: Matrix, _ transposesB: Bool, alpha: Double, beta: Double, _ c: [Double]
    ) -> [Double] {
        let (m, k) = transposesA ? (a.columns, a.rows) : (a.rows, a.columns)
        let n = transposesB ? b.rows : b.columns
        return (0..<m * n).map { index in
            let (i, j) = (index / n, index % n)
            let sum = (0..<k).reduce(0.0) { sum, l in
                let left = transposesA ? a[l, i] : a[i, l]
                let right = transposesB ? b[j, l] : b[l, j]
                return sum + Double(left) * Double(right)
            }
            return alpha * sum + (beta == 0 ? 0 : beta * c[index])
        }
    }

    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func `products of views with strides are those of double precision`(transposed: (a: Bool, b: Bool)) {
        for (m, n, k) in Self.sizes.flatMap({ m in Self.sizes.flatMap { n in Self.sizes.map { (m, n, $0) } } }) {
            let a = transposed.a ? GuardedMatrix(k, m, seed: 1) : GuardedMatrix(m, k, seed: 1)
            let b = transposed.b ? GuardedMatrix(n, k, seed: 2) : GuardedMatrix(k, n, seed: 2)
            let operands: (Operand, Operand) = (
                transposed.a ? .transposed(a.readOnly) : .asIs(a.readOnly),
                transposed.b ? .transposed(b.readOnly) : .asIs(b.readOnly)
            )
            for (alpha, beta) in [(1, 0), (0.75, 1), (-2, 0.5)] as [(Float, Float)] {
                let c = GuardedMatrix(m, n, seed: 3)
                let expected = product(
                    a.readOnly, transposed.a, b.readOnly, transposed.b, alpha: Double(alpha), beta: Double(beta),
                    c.doubles)
                gemm(operands.0, operands.1, into: c.view, alpha: alpha, beta: beta)
                // There are k products of size about 1; each sum is rounded by 6e-8 of about sqrt(k).
                let bound = 1e-6 * Double(abs(alpha)) * Double(k).squareRoot() + 1e-6
                #expect(largestDifference(c.values, expected) <= 4 * bound, "\(m) \(n) \(k) \(alpha) \(beta)")
                #expect(c.gapsAreIntact)
            }
        }
    }

    @Test func `a band of columns is read and written alone`() {
        let wide = GuardedMatrix(5, 40, seed: 4)
        let weight = GuardedMatrix(7, 9, seed: 5)
        let target = GuardedMatrix(5, 30, seed: 6)
        let before = target.values
        let expected = product(wide.readOnly.columns(11, 9), false, weight.readOnly, true, alpha: 1, beta: 0, [])
        gemm(.asIs(wide.readOnly.columns(11, 9)), .transposed(weight.readOnly), into: target.view.columns(20, 7))
        #expect(largestDifference(target.readOnly.columns(20, 7).copied(), expected) <= 1e-5)
        for r in 0..<5 {
            for c in 0..<30 where !(20..<27).contains(c) {
                #expect(target.view[r, c] == before[r * 30 + c])
            }
        }
    }

    @Test(arguments: sizes)
    func `beta 0 overwrites a NaN and beta 1 keeps it`(n: Int) {
        for m in Self.sizes {
            let (a, b) = (GuardedMatrix(m, 17, seed: 1), GuardedMatrix(17, n, seed: 2))
            let c = GuardedMatrix(m, n) { _, _ in .nan }
            let expected = product(a.readOnly, false, b.readOnly, false, alpha: 1, beta: 0, [])
            gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: c.view)
            #expect(largestDifference(c.values, expected) <= 2e-5 && c.gapsAreIntact)
            let kept = GuardedMatrix(m, n) { _, _ in .nan }
            gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: kept.view, beta: 1)
            #expect(kept.values.allSatisfy { $0.isNaN })
        }
    }

    @Test(arguments: sizes)
    func `a NaN of an operand reaches its row of the product`(k: Int) {
        let a = GuardedMatrix(3, k) { r, c in r == 1 && c == k - 1 ? .nan : 1 }
        let (b, c) = (GuardedMatrix(k, 17) { _, _ in 0 }, GuardedMatrix(3, 17, seed: 1))
        gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: c.view)
        #expect(c.values.map(\.isNaN) == (0..<51).map { (17..<34).contains($0) })
    }

    @Test func `a product over nothing is 0, or what beta leaves`() {
        let (a, b) = (GuardedMatrix(3, 0) { _, _ in 0 }, GuardedMatrix(0, 4) { _, _ in 0 })
        let c = GuardedMatrix(3, 4) { _, _ in .nan }
        gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: c.view)
        #expect(c.values.allSatisfy { $0 == 0 } && c.gapsAreIntact)
        let kept = GuardedMatrix(3, 4) { _, _ in 2 }
        gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: kept.view, beta: 1)
        #expect(kept.values.allSatisfy { $0 == 2 })
        gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: kept.view, beta: 0.5)
        #expect(kept.values.allSatisfy { $0 == 1 } && kept.gapsAreIntact)
        let none = GuardedMatrix(0, 4) { _, _ in 0 }
        gemm(.asIs(none.readOnly), .asIs(GuardedMatrix(4, 4, seed: 1).readOnly), into: none.view)
        #expect(none.gapsAreIntact)
    }

    @Test func `the bits of a product are the same every time`() {
        let (a, b) = (GuardedMatrix(33, 200, seed: 1), GuardedMatrix(200, 65, seed: 2))
        let (c, d) = (GuardedMatrix(33, 65, seed: 3), GuardedMatrix(33, 65, seed: 4))
        gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: c.view)
        gemm(.asIs(a.readOnly), .asIs(b.readOnly), into: d.view)
        #expect(c.values.map(\.bitPattern) == d.values.map(\.bitPattern))
    }

    @Test func `BLAS says what it is`() {
        #expect(!BLAS.coreType.isEmpty)
        #expect(BLAS.description.contains("OpenBLAS"))
    }
}
