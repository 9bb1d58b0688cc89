import CTileProducts
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Products in the layout of matrix tiles: by every version of the twin, and by the processor's tiles where there are any.
@Suite struct TileProductTests {
    private static let twins = [ctileproducts_plain, ctileproducts_avx2, ctileproducts_avx512].filter {
        ctileproducts_can($0) == 1
    }
    private static let ways = twins + (TileProducts.isNative ? [ctileproducts_amx] : [])
    private static let kinds: [ProductKind] = [.bf16x3, .bfloat16, .int8]

    /// Inner widths and columns around whole steps, tiles and panels, and a realistic shape.
    private static let shapes = [(1, 1), (31, 16), (33, 47), (64, 64), (65, 33), (130, 100), (768, 96)]

    /// A weight `[columns, inner]`, packed for `multiply` by one way, with guards behind the pack.
    private final class Packed {
        private(set) var matrix: FrozenMatrix
        private let memory: UnsafeMutableRawPointer
        private let bytes: Int
        private let weight: Arena

        init(_ weight: Arena, columns: Int, _ kind: ProductKind, _ way: ctileproducts_way) throws {
            self.weight = weight
            matrix = FrozenMatrix([.float32(Matrix(weight.base, rows: columns, columns: weight.count / columns))])
            let library = PackingLibrary(TileProducts.kernels(way), accurate: .bf16x3)
            let packs = FrozenMatrix.Packs(forward: kind, backward: kind)
            bytes = try matrix.packedBytes(library, packs)
            memory = .allocate(byteCount: bytes + 64, alignment: 64)
            (memory + bytes).initializeMemory(as: UInt8.self, repeating: 0xA5, count: 64)
            try matrix.pack(library, packs, into: memory, fills: true)
        }

        deinit { memory.deallocate() }

        var isInside: Bool {
            (bytes..<bytes + 64).allSatisfy { memory.load(fromByteOffset: $0, as: UInt8.self) == 0xA5 }
        }

        /// `x W^T`, or with `isBackward` `x W`.
        func product(_ x: Arena, rows: Int, first: Int = 0, isBackward: Bool = false) -> [Float] {
            let (from, to) =
                isBackward
                ? (matrix.outputWidth, matrix.inputWidth) : (matrix.inputWidth, matrix.outputWidth)
            // The memory behind the rows must not change.
            let y = Arena(count: rows * to + 16)
            for i in 0..<y.count { y.base[i] = .nan }
            let (input, output) = (
                Matrix(x.base + first * from, rows: rows, columns: from),
                MutableMatrix(y.base, rows: rows, columns: to)
            )
            let products = FrozenProducts()
            if isBackward {
                matrix.multiplyTransposed(input, into: output, products)
            } else {
                matrix.multiply(input, into: output, independentRows: true, products)
            }
            #expect(y.elements[(rows * to)...].allSatisfy { $0.isNaN })
            return Array(y.elements[..<(rows * to)])
        }
    }

    private static func filled(_ count: Int, seed: UInt64, _ size: (Int) -> Float = { _ in 1 }) -> Arena {
        let arena = Arena(count: count)
        var stream = RandomStream(seed: seed, purpose: .test)
        for i in 0..<count { arena.base[i] = Float(stream.normal()) * size(i) }
        return arena
    }

    /// The errors that the documents state, of the largest result; too small an error would mean that nothing is rounded.
    private static let errors: [ProductKind: ClosedRange<Double>] = [
        .bf16x3: 1e-8...1e-5, .bfloat16: 1e-4...1e-2, .int8: 1e-4...3e-2,
    ]

    @Test(arguments: kinds) func `errors against double precision are those that are stated`(kind: ProductKind) throws {
        for way in Self.ways {
            for (inner, columns) in [(64, 64), (130, 100), (768, 96)] {
                let weight = Self.filled(inner * columns, seed: 1)
                let packed = try Packed(weight, columns: columns, kind, way)
                for isBackward in [false, true] {
                    let (from, to) = isBackward ? (columns, inner) : (inner, columns)
                    let x = Self.filled(9 * from, seed: 2)
                    let exact = (0..<9 * to).map { place in
                        (0..<from).reduce(0.0) { sum, k in
                            let j = place % to
                            let w = isBackward ? weight.base[k * inner + j] : weight.base[j * inner + k]
                            return sum + Double(x.base[place / to * from + k]) * Double(w)
                        }
                    }
                    let found = packed.product(x, rows: 9, isBackward: isBackward)
                    let error = largestDifference(found, exact) / largestMagnitude(exact)
                    let limits = try #require(Self.errors[kind])
                    #expect(limits.contains(error), "\(way) \(inner) x \(columns): \(error)")
                    #expect(packed.isInside)
                }
            }
        }
    }

    @Test(arguments: kinds) func `all versions of the twin have the same bits`(kind: ProductKind) throws {
        for (inner, columns) in Self.shapes {
            let weight = Self.filled(inner * columns, seed: 3)
            // Rows of all sizes, also with products that are denormal or overflow.
            let x = Self.filled(19 * inner, seed: 4) { [1, 1e-30, 1e-38, 0x1p-140, 1e37, 0][$0 / inner % 6] }
            let results = try Self.twins.map {
                try Packed(weight, columns: columns, kind, $0).product(x, rows: 19).map(\.bitPattern)
            }
            #expect(results.allSatisfy { $0 == results[0] }, "\(inner) x \(columns)")
        }
    }

    @Test(
        .enabled(
            if: TileProducts.isNative,
            "NOT CHECKED HERE: tiles against their twin, for want of a processor with AMX or of the system's permission"
        ),
        arguments: kinds)
    func `tiles and their twin agree`(kind: ProductKind) throws {
        // The last two are more than fits into scratch at once: several blocks of steps, or for 8 bits of rows.
        let shapes = (Self.shapes + [(3072, 768)]).map { ($0, $1, 70) } + [(1000, 33, 600), (3072, 47, 600)]
        for (inner, columns, rows) in shapes {
            let weight = Self.filled(inner * columns, seed: 5)
            let x = Self.filled(rows * inner, seed: 6)
            let twin = try Packed(weight, columns: columns, kind, TileProducts.twin).product(x, rows: rows)
            let tiles = try Packed(weight, columns: columns, kind, ctileproducts_amx).product(x, rows: rows)
            if kind == .int8 {
                #expect(twin.map(\.bitPattern) == tiles.map(\.bitPattern), "\(inner) x \(columns)")
            } else {
                let error = largestDifference(twin, tiles) / largestMagnitude(twin)
                #expect(error <= 1e-6, "\(inner) x \(columns): \(error)")
            }
        }
    }

    @Test func `8 bits have the bits of the other kernels, also of rows that are zero or not finite`() throws {
        for (inner, columns) in Self.shapes {
            let weight = Self.filled(inner * columns, seed: 7) { $0 / inner % 5 == 3 ? 0 : 1 }
            let x = Self.filled(23 * inner, seed: 8) { [1, 1000, 0, 1e-3, 1e-38, 0x1p-137][$0 / inner % 6] }
            (x.base[inner / 2], x.base[inner * 7 + inner / 3]) = (.nan, -.infinity)
            var other = FrozenMatrix([.float32(Matrix(weight.base, rows: columns, columns: inner))])
            let packs = FrozenMatrix.Packs(forward: .int8, backward: nil)
            let memory = UnsafeMutableRawPointer.allocate(
                byteCount: try other.packedBytes(.integers, packs), alignment: 64)
            defer { memory.deallocate() }
            try other.pack(.integers, packs, into: memory, fills: true)
            let y = Arena(count: 23 * columns)
            other.multiply(
                Matrix(x.base, rows: 23, columns: inner), into: MutableMatrix(y.base, rows: 23, columns: columns),
                FrozenProducts())
            // The bits of a NaN do not matter.
            func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map { $0.isNaN ? .max : $0.bitPattern } }
            let expected = bits(y.elements)
            #expect(expected[..<columns].allSatisfy { $0 == .max })
            for way in Self.ways {
                let found = try Packed(weight, columns: columns, .int8, way).product(x, rows: 23)
                #expect(bits(found) == expected, "\(way) \(inner) x \(columns)")
            }
        }
    }

    /// More rows than are in scratch at once, and with the longest ones more steps.
    @Test(arguments: kinds) func `a row has the same bits in a product of any number of rows, at any place`(
        kind: ProductKind
    ) throws {
        for way in Self.ways where way != ctileproducts_plain {
            for (inner, columns) in [(33, 47), (130, 100), (1000, 33), (3072, 47)] {
                let packed = try Packed(Self.filled(inner * columns, seed: 9), columns: columns, kind, way)
                let most = 700
                let x = Self.filled(most * inner, seed: 10) { Float(1 + $0 / inner % 7) }
                let all = packed.product(x, rows: most).map(\.bitPattern)
                for rows in [1, 2, 7, 15, 16, 17, 31, 32, 33, 47, 64, 100, 255, 513] where rows <= most {
                    for first in Swift.stride(from: 0, through: most - rows, by: max(53, most / 3)) {
                        let some = packed.product(x, rows: rows, first: first).map(\.bitPattern)
                        #expect(
                            some[...] == all[first * columns..<(first + rows) * columns],
                            "\(way), \(rows) rows from \(first)")
                    }
                }
            }
        }
    }

    @Test(arguments: kinds) func `what is not finite stays so, and leaves the other rows alone`(kind: ProductKind)
        throws
    {
        let (inner, columns) = (70, 40)
        let weight = Self.filled(inner * columns, seed: 11)
        for way in Self.ways {
            let packed = try Packed(weight, columns: columns, kind, way)
            let x = Self.filled(5 * inner, seed: 12)
            let clean = packed.product(x, rows: 5)
            for (row, value) in [(1, Float.infinity), (2, -.infinity), (3, .nan)] { x.base[row * inner + 37] = value }
            let found = packed.product(x, rows: 5)
            for row in 0..<5 {
                let own = row * columns..<(row + 1) * columns
                if (1...3).contains(row) {
                    #expect(found[own].allSatisfy { !$0.isFinite }, "\(way), row \(row)")
                } else {
                    #expect(found[own] == clean[own], "\(way), row \(row)")
                }
            }
        }
    }

    /// Tiles take denormal numbers as zero.
    @Test(arguments: [ProductKind.bf16x3, .bfloat16]) func `denormal numbers and products are zero`(
        kind: ProductKind
    ) throws {
        let (inner, columns) = (32, 16)
        for way in Self.ways {
            for (number, factor) in [(Float(0x1p-133), Float(1e6)), (1e-20, 1e-22)] {
                let weight = Self.filled(inner * columns, seed: 13) { _ in 0 }
                for i in 0..<weight.count { weight.base[i] = factor }
                let x = Arena(count: inner)
                for i in 0..<inner { x.base[i] = number }
                let found = try Packed(weight, columns: columns, kind, way).product(x, rows: 1)
                #expect(found.allSatisfy { $0 == 0 }, "\(way)")
            }
        }
    }

    /// Otherwise the thread would compute everything else without denormal numbers.
    @Test func `a product leaves the thread's way of rounding as it was`() throws {
        let weight = Self.filled(64, seed: 14)
        _ = try Packed(weight, columns: 8, .bf16x3, TileProducts.way).product(Self.filled(8, seed: 15), rows: 1)
        let small = Float.leastNormalMagnitude
        #expect(Self.half(of: small) > 0)
    }

    @inline(never) private static func half(of number: Float) -> Float { number * 0.5 }

    @Test func `sums of 8-bit products are exact, however large`() throws {
        let (inner, columns) = (2100, 33)
        let weight = Arena(count: inner * columns)
        for i in 0..<weight.count { weight.base[i] = i / 40 % 2 == 0 ? 127 : -127 }
        let x = Arena(count: 3 * inner)
        for i in 0..<x.count { x.base[i] = i / inner == 0 ? 127 : i / 40 % 2 == 0 ? 127 : -127 }
        for way in Self.ways {
            let found = try Packed(weight, columns: columns, .int8, way).product(x, rows: 3)
            for row in 0..<3 {
                for j in 0..<columns {
                    let sum = (0..<inner).reduce(0) {
                        $0 + Int(x.base[row * inner + $1]) * Int(weight.base[j * inner + $1])
                    }
                    #expect(found[row * columns + j] == Float(sum), "\(way), row \(row), column \(j)")
                }
            }
        }
    }

    @Test func `packs take 4, 2 and 1 bytes a weight of whole steps and panels`() throws {
        let matrix = FrozenMatrix([.float32(Matrix(Arena(count: 1).base, rows: 768, columns: 3072))])
        for (kind, bytes) in [(ProductKind.bf16x3, 4), (.bfloat16, 2), (.int8, 1)] {
            let packs = FrozenMatrix.Packs(forward: kind, backward: nil)
            let factors = kind == .int8 ? 768 * 4 : 0
            #expect(try matrix.packedBytes(.tiles, packs) == bytes * 768 * 3072 + factors)
        }
        #expect(!PackingLibrary.tiles.packs(.float32) && PackingLibrary.tiles.accurate == .bf16x3)
        let deep = FrozenMatrix([.float32(Matrix(Arena(count: 1).base, rows: 1, columns: 140_000))])
        #expect(throws: PackingError.self) {
            try deep.packedBytes(.tiles, FrozenMatrix.Packs(forward: .int8, backward: nil))
        }
    }
}
