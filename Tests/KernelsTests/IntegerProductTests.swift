import CIntegerProducts
import Randomness
import Tensors
import Testing

@testable import Kernels

@Suite struct IntegerProductTests {
    /// An operand of random numbers from -127 to 127 and its product with as many random rows.
    private struct Case {
        let (rows, inner, columns): (Int, Int, Int)
        let (x, w): ([Int16], [Int8])
        let rowFactors: [Float]

        init(rows: Int, inner: Int, columns: Int) {
            var stream = RandomStream(seed: UInt64(rows * inner + columns), purpose: .test)
            (self.rows, self.inner, self.columns) = (rows, inner, columns)
            let width = (inner + 1) & ~1
            x = (0..<rows * width).map { $0 % width < inner ? Int16(stream.below(255)) - 127 : 0 }
            w = (0..<columns * inner).map { _ in Int8(Int(stream.below(255)) - 127) }
            rowFactors = (0..<rows).map { _ in Float(stream.normal()) }
        }

        /// Calls `body` with the packed weights.
        func withPack(_ body: (PackedWeight) -> Void) {
            let bytes =
                PackedWeight.factorBytes(columns: columns)
                + IntegerPanels.panelBytes(inner: inner, columns: columns)
            // The memory after the operand must not change.
            let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
            defer { memory.deallocate() }
            (memory + bytes).initializeMemory(as: UInt8.self, repeating: 0xA5, count: 64)
            let pack = PackedWeight(inner: inner, columns: columns, kernels: IntegerPanels(), memory: memory)
            for j in 0..<columns { pack.factors[j] = 0.25 + Float(j) / 7 }
            IntegerPanels.pack(columns: w, into: pack)
            body(pack)
            #expect((bytes..<bytes + 64).allSatisfy { memory.load(fromByteOffset: $0, as: UInt8.self) == 0xA5 })
        }

        func expected(_ row: Int, _ column: Int, _ pack: PackedWeight) -> Float {
            let width = IntegerPanels.rowWidth(pack)
            let sum = (0..<inner).reduce(0) { $0 + Int(x[row * width + $1]) * Int(w[column * inner + $1]) }
            return Float(sum) * (pack.factors[column] * rowFactors[row])
        }
    }

    /// Rows and columns around whole tiles, pairs around whole blocks, and dimensions of size 0.
    @Test(arguments: [0, 1, 5, 6, 7, 96, 99], [0, 1, 2, 33, 1023, 1024, 1026, 2049])
    func `products are the sums in whole numbers with their factors, and touch nothing else`(rows: Int, inner: Int) {
        for columns in [1, 15, 16, 33] { expectSums(rows, inner, columns) }
    }

    private func expectSums(_ rows: Int, _ inner: Int, _ columns: Int) {
        let own = Case(rows: rows, inner: inner, columns: columns)
        own.withPack { pack in
            let y = GuardedMatrix(max(rows, 1), columns) { _, _ in .nan }
            IntegerPanels.multiply(
                own.x, rows: rows, rowFactors: own.rowFactors, pack, into: y.row, stride: y.view.stride)
            for row in 0..<rows {
                let got = (0..<columns).map { y.view.row(row)[$0] }
                #expect(got == (0..<columns).map { own.expected(row, $0, pack) }, "row \(row)")
            }
            #expect(y.gapsAreIntact && (rows > 0 || y.values.allSatisfy(\.isNaN)))
        }
    }

    /// The code for other processors.
    @Test(arguments: [(1, 1, 16), (6, 64, 21), (20, 1030, 16), (20, 1030, 21)])
    func `without AVX2 the bits are the same`(rows: Int, inner: Int, columns: Int) {
        let own = Case(rows: rows, inner: inner, columns: columns)
        own.withPack { pack in
            var operand = cintegerproducts_operand(
                panels: UnsafePointer(pack.numbers.assumingMemoryBound(to: Int8.self)), pairs: Int64((inner + 1) / 2),
                columns: Int64(columns), factors: UnsafePointer(pack.factors))
            let (fast, plain) = (Arena(count: rows * columns), Arena(count: rows * columns))
            let stride = Int64(columns)
            cintegerproducts_run(own.x, Int64(rows), own.rowFactors, &operand, fast.base, stride)
            cintegerproducts_run_plain(own.x, Int64(rows), own.rowFactors, &operand, plain.base, stride)
            #expect(fast.elements.map(\.bitPattern) == plain.elements.map(\.bitPattern))
            #expect(plain.elements.contains { $0 != 0 })
        }
    }
}
