import Kernels
import Tensors
import TestSupport
import Testing

@Suite struct ElementwiseTests {
    private static let rows = 3

    private func matrix(_ columns: Int, _ seed: UInt64) -> GuardedMatrix {
        GuardedMatrix(Self.rows, columns, seed: seed)
    }

    @Test(arguments: laneSizes)
    func `fill, copy and scale touch every element and nothing else`(columns: Int) {
        let (x, y) = (matrix(columns, 1), matrix(columns, 2))
        copy(x.readOnly, into: y.view)
        #expect(y.values == x.values && y.gapsAreIntact)
        scale(y.view, by: -1.5)
        #expect(y.values == x.values.map { $0 * -1.5 } && y.gapsAreIntact)
        fill(y.view, 7)
        #expect(y.values.allSatisfy { $0 == 7 } && y.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `sums add element by element, into one of the operands too`(columns: Int) {
        let (a, b, y) = (matrix(columns, 1), matrix(columns, 2), matrix(columns, 3))
        let expected = zip(a.values, b.values).map { $0 + $1 }
        sum(a.readOnly, b.readOnly, into: y.view)
        #expect(y.values == expected && y.gapsAreIntact)
        add(b.readOnly, to: a.view)
        #expect(a.values == expected && a.gapsAreIntact)
        let again = zip(expected, b.values).map { $0 + $1 }
        sum(a.readOnly, b.readOnly, into: b.view)
        #expect(b.values == again && b.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `columns are scaled, in place too`(columns: Int) {
        let (x, y, factors) = (matrix(columns, 1), matrix(columns, 2), GuardedMatrix(1, columns, seed: 3))
        let expected = x.values.indices.map { x.values[$0] * factors.values[$0 % columns] }
        scaleColumns(x.readOnly, by: factors.row, into: y.view)
        #expect(y.values == expected && y.gapsAreIntact)
        scaleColumns(x.readOnly, by: factors.row, into: x.view)
        #expect(x.values == expected && x.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `column sums and column dot products are added`(columns: Int) {
        let (a, b) = (matrix(columns, 1), matrix(columns, 2))
        let sums = GuardedMatrix(1, columns, seed: 3)
        let start = sums.doubles
        addColumnSums(a.readOnly, to: sums.row)
        let expected = (0..<columns).map { c in
            (0..<Self.rows).reduce(start[c]) { $0 + Double(a.view[$1, c]) }
        }
        #expect(largestDifference(sums.values, expected) <= 1e-6 && sums.gapsAreIntact)
        addColumnDots(a.readOnly, b.readOnly, to: sums.row)
        let both = (0..<columns).map { c in
            (0..<Self.rows).reduce(expected[c]) { $0 + Double(a.view[$1, c]) * Double(b.view[$1, c]) }
        }
        #expect(largestDifference(sums.values, both) <= 4e-6 && sums.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `rows are gathered by their ids`(columns: Int) {
        let (table, y) = (GuardedMatrix(5, columns, seed: 1), matrix(columns, 2))
        let ids: [Int32] = [4, 0, 4]
        gatherRows(.float32(table.readOnly), ids, into: y.view)
        for (row, id) in ids.enumerated() {
            #expect(y.doubles(row: row) == table.doubles(row: Int(id)))
        }
        #expect(y.gapsAreIntact)
    }

    @Test(arguments: [1, 16, 17])
    func `a NaN stays where it is and spreads to its own results only`(columns: Int) {
        let place = columns - 1
        let x = GuardedMatrix(2, columns) { r, c in r == 1 && c == place ? .nan : 1 }
        let y = GuardedMatrix(2, columns) { _, _ in 2 }
        let expected = (0..<2 * columns).map { $0 == columns + place }
        add(x.readOnly, to: y.view)
        #expect(y.values.map(\.isNaN) == expected)
        scale(y.view, by: 0)
        #expect(y.values.map(\.isNaN) == expected)
        let ones = GuardedMatrix(1, columns) { _, _ in 1 }
        scaleColumns(x.readOnly, by: ones.row, into: y.view)
        #expect(y.values.map(\.isNaN) == expected)
        addColumnSums(x.readOnly, to: ones.row)
        #expect(ones.values.map(\.isNaN) == (0..<columns).map { $0 == place })
        let dots = GuardedMatrix(1, columns) { _, _ in 1 }
        addColumnDots(x.readOnly, x.readOnly, to: dots.row)
        #expect(dots.values.map(\.isNaN) == (0..<columns).map { $0 == place })
    }
}
