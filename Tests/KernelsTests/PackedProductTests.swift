import Randomness
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Products with packed weights: in float32 with oneDNN, if it is in the build; in 8 bits also with oneDNN, if the processor
/// has VNNI, and with this program's own kernels.
@Suite struct PackedProductTests {
    /// The libraries that pack 8 bits here.
    private static func integerLibraries() throws -> [PackingLibrary] {
        [.integers] + (OneDNN.hasVNNI ? [try PackingLibrary.oneDNN()] : [])
    }

    /// A frozen matrix whose parts have these heights, packed for both products, with the owner of its memory.
    private final class Packed {
        let library: PackingLibrary
        let plain: FrozenMatrix
        private(set) var matrix: FrozenMatrix
        private let parts: [Arena]
        private let memory: UnsafeMutableRawPointer

        init(
            _ heights: [Int], _ width: Int, _ precision: ProductKind = .float32, by library: PackingLibrary
        ) throws {
            let packs = FrozenMatrix.Packs(forward: precision, backward: precision)
            self.library = library
            parts = heights.enumerated().map { index, height in
                PackedProductTests.filled(height * width, seed: UInt64(index))
            }
            plain = FrozenMatrix(zip(heights, parts).map { .float32(Matrix($1.base, rows: $0, columns: width)) })
            matrix = plain
            memory = .allocate(byteCount: try plain.packedBytes(library, packs), alignment: 64)
            try matrix.pack(library, packs, into: memory, fills: true)
        }

        deinit { memory.deallocate() }
    }

    private static func filled(_ count: Int, seed: UInt64) -> Arena {
        let arena = Arena(count: count)
        var stream = RandomStream(seed: seed, purpose: .test)
        for i in 0..<count { arena.base[i] = Float(stream.normal()) }
        return arena
    }

    /// Widths that are not multiples of anything, several parts, and a realistic shape.
    private static let shapes: [(heights: [Int], width: Int)] = [
        ([37], 12), ([10, 10, 10], 12), ([5, 18], 33), ([64, 64, 64], 64), ([2048], 512),
    ]

    @Test(.enabled(if: OneDNN.isInBuild, "this build has no oneDNN"), arguments: shapes.indices)
    func `both products are those of double precision`(index: Int) throws {
        let packed = try Packed(Self.shapes[index].heights, Self.shapes[index].width, by: PackingLibrary.oneDNN())
        let (out, width) = (packed.matrix.outputWidth, packed.matrix.inputWidth)
        let w = packed.plain.parts.flatMap { $0.copied() }.map(Double.init)
        let products = FrozenProducts()
        for rows in [1, 2, 7, 17, 70] {
            let x = Self.filled(rows * width, seed: 7)
            let dy = Self.filled(rows * out, seed: 8)
            let y = Arena(count: rows * out)
            let dx = Arena(count: rows * width)
            packed.matrix.multiply(
                Matrix(x.base, rows: rows, columns: width), into: MutableMatrix(y.base, rows: rows, columns: out),
                products)
            packed.matrix.multiplyTransposed(
                Matrix(dy.base, rows: rows, columns: out), into: MutableMatrix(dx.base, rows: rows, columns: width),
                products)
            // Only the first and the last row are checked; each element is a sum of products of size about 1.
            for row in [0, rows - 1] {
                let forward = (0..<out).map { j in
                    (0..<width).reduce(0.0) { $0 + Double(x.base[row * width + $1]) * w[j * width + $1] }
                }
                let backward = (0..<width).map { k in
                    (0..<out).reduce(0.0) { $0 + Double(dy.base[row * out + $1]) * w[$1 * width + k] }
                }
                let (got, gotBack) = (
                    Array(y.elements)[row * out..<(row + 1) * out], Array(dx.elements)[row * width..<(row + 1) * width]
                )
                #expect(largestDifference(Array(got), forward) <= 6e-6 * Double(width).squareRoot() + 1e-6)
                #expect(largestDifference(Array(gotBack), backward) <= 6e-6 * Double(out).squareRoot() + 1e-6)
            }
        }
    }

    /// Rounding normally distributed numbers to 8 bits: the steps are max/127, about 4/127, so each operand has an error of
    /// about 0.9 % of its size, and the product sqrt(2) times that.
    @Test(arguments: shapes.indices)
    func `products of 8 bits are off by a hundredth of their size`(index: Int) throws {
        for library in try Self.integerLibraries() { try expectHundredth(index, library) }
    }

    private func expectHundredth(_ index: Int, _ library: PackingLibrary) throws {
        let packed = try Packed(Self.shapes[index].heights, Self.shapes[index].width, .int8, by: library)
        let (out, width, rows) = (packed.matrix.outputWidth, packed.matrix.inputWidth, 19)
        let products = FrozenProducts()
        for isBackward in [false, true] {
            let (from, to) = isBackward ? (out, width) : (width, out)
            let x = Self.filled(rows * from, seed: 7)
            // The rows have different sizes, and one consists of zeros: each has its own factor.
            for i in 0..<x.count { x.base[i] *= [1, 1000, 0, 1e-3][i / from % 4] }
            let input = Matrix(x.base, rows: rows, columns: from)
            let (exact, rounded) = (Arena(count: rows * to), Arena(count: rows * to))
            for (matrix, target) in [(packed.plain, exact), (packed.matrix, rounded)] {
                let y = MutableMatrix(target.base, rows: rows, columns: to)
                if isBackward {
                    matrix.multiplyTransposed(input, into: y, products)
                } else {
                    matrix.multiply(input, into: y, products)
                }
            }
            for row in 0..<rows {
                let range = row * to..<(row + 1) * to
                var (size, error) = (0.0, 0.0)
                for i in range {
                    let (a, b) = (Double(exact.base[i]), Double(rounded.base[i]))
                    size += a * a
                    error += (a - b) * (a - b)
                }
                (size, error) = (size.squareRoot(), error.squareRoot())
                #expect(error <= 0.025 * size, "row \(row): \(error) of \(size)")
                #expect(row % 4 == 2 || error > 0, "row \(row) was not rounded")
            }
        }
    }

    /// Whole numbers up to 127, with 127 in each row and column: they are not rounded, so the product must be exact.
    /// Instructions that add two 8-bit products in 16 bits saturate.
    @Test(arguments: [1, 19, 64, 200], [3, 64, 515, 2100])
    func `sums of 8-bit products are exact, however large`(rows: Int, width: Int) throws {
        let out = 48
        func whole(_ count: Int, seed: UInt64) -> Arena {
            let arena = Arena(count: count * width)
            var stream = RandomStream(seed: seed, purpose: .test)
            for i in 0..<arena.count {
                // Most numbers are the largest one, with the same sign over long stretches, so the partial sums are large too.
                let sign: Float = i / 40 % 2 == 0 ? 1 : -1
                arena.base[i] = i % width == 0 || stream.below(4) > 0 ? sign * 127 : Float(stream.below(255)) - 127
            }
            return arena
        }
        let (x, w) = (whole(rows, seed: 1), whole(out, seed: 2))
        for library in try Self.integerLibraries() { try expectExact(x, w, rows: rows, width: width, library) }
    }

    private func expectExact(_ x: Arena, _ w: Arena, rows: Int, width: Int, _ library: PackingLibrary) throws {
        let out = w.count / width
        var matrix = FrozenMatrix([.float32(Matrix(w.base, rows: out, columns: width))])
        let packs = FrozenMatrix.Packs(forward: .int8, backward: nil)
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: try matrix.packedBytes(library, packs), alignment: 64)
        defer { memory.deallocate() }
        try matrix.pack(library, packs, into: memory, fills: true)
        let y = Arena(count: rows * out)
        matrix.multiply(
            Matrix(x.base, rows: rows, columns: width), into: MutableMatrix(y.base, rows: rows, columns: out),
            FrozenProducts())
        for row in 0..<rows {
            for j in 0..<out {
                let sum = (0..<width).reduce(0) { $0 + Int(x.base[row * width + $1]) * Int(w.base[j * width + $1]) }
                #expect(y.base[row * out + j] == Float(sum), "row \(row), column \(j)")
            }
        }
    }

    @Test(.enabled(if: OneDNN.hasVNNI, "needs oneDNN and a processor with VNNI"), arguments: shapes.indices)
    func `both ways to multiply 8 bits give the same bits`(index: Int) throws {
        let (heights, width) = (Self.shapes[index].heights, Self.shapes[index].width)
        let out = heights.reduce(0, +)
        let results = try Self.integerLibraries().map { library in
            let packed = try Packed(heights, width, .int8, by: library)
            let (x, y) = (Self.filled(19 * width, seed: 7), Arena(count: 19 * out))
            packed.matrix.multiply(
                Matrix(x.base, rows: 19, columns: width), into: MutableMatrix(y.base, rows: 19, columns: out),
                FrozenProducts())
            return y.elements.map(\.bitPattern)
        }
        #expect(results.count == 2 && results[0] == results[1])
    }

    @Test func `sums that may not fit in 32 bits are refused`() throws {
        let weight = Arena(count: 140_000)
        let matrix = FrozenMatrix([.float32(Matrix(weight.base, rows: 1, columns: 140_000))])
        let packs = FrozenMatrix.Packs(forward: .int8, backward: nil)
        let error = #expect(throws: PackingError.self) { try matrix.packedBytes(.integers, packs) }
        #expect(error?.description.contains("140000 products of 8 bits") == true)
    }

    @Test(.enabled(if: OneDNN.isFast, "needs a processor with AVX-512"), arguments: shapes.indices)
    func `a row has the same bits in a product of any number of rows, at any place`(index: Int) throws {
        try expectSameRows(index, .float32, PackingLibrary.oneDNN())
    }

    @Test(.enabled(if: OneDNN.hasBFloat16, "needs oneDNN and a processor with AVX512_BF16"), arguments: shapes.indices)
    func `so has a row of bfloat16`(index: Int) throws {
        try expectSameRows(index, .bfloat16, PackingLibrary.oneDNN())
    }

    @Test(.enabled(if: OneDNN.hasBFloat16, "needs oneDNN and a processor with AVX512_BF16"), arguments: shapes.indices)
    func `products of bfloat16 are off by two thousandths of the largest`(index: Int) throws {
        let (heights, width) = (Self.shapes[index].heights, Self.shapes[index].width)
        let packed = try Packed(heights, width, .bfloat16, by: PackingLibrary.oneDNN())
        let (out, rows) = (packed.matrix.outputWidth, 19)
        for isBackward in [false, true] {
            let (from, to) = isBackward ? (out, width) : (width, out)
            let x = Self.filled(rows * from, seed: 7)
            let input = Matrix(x.base, rows: rows, columns: from)
            let results = [packed.plain, packed.matrix].map { matrix in
                let y = Arena(count: rows * to)
                let output = MutableMatrix(y.base, rows: rows, columns: to)
                if isBackward {
                    matrix.multiplyTransposed(input, into: output, FrozenProducts())
                } else {
                    matrix.multiply(input, into: output, FrozenProducts())
                }
                return Array(y.elements)
            }
            let error = largestDifference(results[0], results[1]) / largestMagnitude(results[0])
            #expect(error > 1e-4 && error < 1e-2, "\(error)")
            // What is not finite stays so.
            (x.base[3], x.base[from + 1]) = (.nan, .infinity)
            let y = Arena(count: 2 * to)
            let (two, output) = (
                Matrix(x.base, rows: 2, columns: from), MutableMatrix(y.base, rows: 2, columns: to)
            )
            if isBackward {
                packed.matrix.multiplyTransposed(two, into: output, FrozenProducts())
            } else {
                packed.matrix.multiply(two, into: output, FrozenProducts())
            }
            #expect(y.elements.allSatisfy { !$0.isFinite })
        }
    }

    @Test(arguments: shapes.indices)
    func `so has a row of 8 bits`(index: Int) throws {
        for library in try Self.integerLibraries() { try expectSameRows(index, .int8, library) }
    }

    private func expectSameRows(_ index: Int, _ precision: ProductKind, _ library: PackingLibrary) throws {
        let packed = try Packed(Self.shapes[index].heights, Self.shapes[index].width, precision, by: library)
        let (out, width) = (packed.matrix.outputWidth, packed.matrix.inputWidth)
        let products = FrozenProducts()
        let most = 330
        let row = Self.filled(width, seed: 3)
        // All rows are equal, so all rows of every product must be equal too.
        let x = Arena(count: most * width)
        for r in 0..<most { (x.base + r * width).update(from: row.base, count: width) }
        let y = Arena(count: most * out)
        var expected: [UInt32]?
        for rows in Array(1...70) + [95, 127, 128, 129, 191, 256, 257, 300, most] {
            for i in 0..<y.count { y.base[i] = .nan }
            let target = MutableMatrix(y.base, rows: rows, columns: out)
            packed.matrix.multiply(Matrix(x.base, rows: rows, columns: width), into: target, products)
            for r in 0..<rows {
                let bits = target.readOnly.rows(r, 1).copied().map(\.bitPattern)
                if expected == nil { expected = bits }
                #expect(bits == expected, "row \(r) of \(rows)")
            }
            #expect(rows == most || y.base[rows * out].isNaN, "\(rows) rows wrote beyond their end")
        }
    }

    @Test func `the pieces of a product cover every row and stay inside`() {
        for rows in 1...1100 {
            var covered = 0
            RowPieces.forEach(of: rows) { start, count in
                #expect(start >= 0 && start <= covered && start + count > covered && start + count <= rows)
                #expect(RowPieces.large.contains(count) || RowPieces.small.contains(count))
                covered = start + count
            }
            #expect(covered == rows)
        }
    }
}
