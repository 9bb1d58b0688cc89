import Kernels
import Testing

@Suite struct VectorTests {
    @Test(arguments: laneSizes)
    func `a dot product is that of double precision`(count: Int) {
        let (a, b) = (GuardedMatrix(1, count, seed: 1), GuardedMatrix(1, count, seed: 2))
        let products = zip(a.doubles, b.doubles).map { $0 * $1 }
        let scale = products.reduce(0) { $0 + abs($1) }
        // Each of the at most count / 16 + 19 additions rounds by half an ulp of a partial sum.
        #expect(abs(Double(dot(a.row, b.row, count)) - products.reduce(0, +)) <= 30 * 6e-8 * scale)
    }

    @Test(arguments: laneSizes)
    func `a NaN anywhere makes the dot product NaN`(count: Int) {
        let b = GuardedMatrix(1, count, seed: 2)
        for place in 0..<count {
            let a = GuardedMatrix(1, count) { _, c in c == place ? .nan : 1 }
            #expect(dot(a.row, b.row, count).isNaN)
        }
    }

    @Test(arguments: laneSizes)
    func `a scaled vector is added, in place too`(count: Int) {
        let (x, y) = (GuardedMatrix(1, count, seed: 3), GuardedMatrix(1, count, seed: 4))
        let expected = zip(x.values, y.values).map { $1 + $0 * 0.75 }
        addScaled(x.row, 0.75, to: y.row, count)
        #expect(y.values == expected && y.gapsAreIntact)
        let own = x.values
        addScaled(x.row, 2, to: x.row, count)
        #expect(x.values == own.map { $0 + $0 * 2 } && x.gapsAreIntact)
    }

    @Test func `a scaled vector of no elements changes nothing`() {
        let (x, y) = (GuardedMatrix(1, 1, seed: 3), GuardedMatrix(1, 1, seed: 4))
        let before = y.values
        addScaled(x.row, 2, to: y.row, 0)
        #expect(y.values == before && dot(x.row, y.row, 0) == 0)
    }

    @Test(arguments: laneSizes)
    func `the maximum is found at every place`(count: Int) {
        for place in 0..<count {
            let x = GuardedMatrix(1, count) { _, c in c == place ? -1 : -2 - Float(c) }
            #expect(maximum(x.row, count) == -1)
        }
    }

    @Test func `the maximum of nothing is minus infinity`() {
        let x = GuardedMatrix(1, 1) { _, _ in 5 }
        #expect(maximum(x.row, 0) == -.infinity)
    }
}
