import Foundation
import Kernels
import Randomness
import Tensors
import Testing

@Suite struct DropoutTests {
    private static let seed: UInt64 = 0x1234_5678_9ABC_DEF0

    /// The rule in the documentation, element by element.
    private func isKept(
        row: Int, column: Int, width: Int, slot: UInt32, place: UInt32, step: UInt32, threshold: UInt32,
        seed: UInt64 = Self.seed
    ) -> Bool {
        let e = column % 256
        let chunk = row * Int((Double(width) / 256).rounded(.up)) + column / 256
        func byte(_ further: Int) -> UInt32 {
            let counter = SIMD4<UInt32>(UInt32(32 * chunk + e % 64 / 4 + further), place, slot, step)
            return Philox(key: seed).block(counter)[e / 64] >> UInt32(e % 4 * 8) & 0xFF
        }
        let bits = byte(0) << 8 | byte(16)
        return bits >= threshold
    }

    @Test(arguments: laneSizes + [7, 8, 9, 130, 255, 256, 257, 530], [0.1, 0.5])
    func `each element falls by the documented rule`(width: Int, rate: Double) {
        let dropout = Dropout(seed: Self.seed, step: 77, rate: rate)
        let threshold = UInt32((rate * 65536).rounded())
        #expect(dropout.isActive && dropout.scale == Float(1 / (1 - Double(threshold) / 65536)))
        for (row, slot, place) in [(0, 0, 0x10000), (1, 3, 0x10000), (900, 31, 0x1_8021)] as [(Int, UInt32, UInt32)] {
            let (x, y) = (GuardedMatrix(1, width, seed: 1), GuardedMatrix(1, width, seed: 2))
            let expected = (0..<width).map { column in
                isKept(row: row, column: column, width: width, slot: slot, place: place, step: 77, threshold: threshold)
                    ? x.view[0, column] * dropout.scale : 0
            }
            dropout.apply(x.readOnly, into: y.view, first: row, slot: slot, place: place)
            #expect(y.values == expected && y.gapsAreIntact)
            let a = GuardedMatrix(1, width, seed: 3)
            let sums = zip(a.values, expected).map { $0 + $1 }
            dropout.applyAdding(x.readOnly, to: a.readOnly, into: y.view, first: row, slot: slot, place: place)
            #expect(y.values == sums && y.gapsAreIntact)
            dropout.applyAdding(x.readOnly, to: a.readOnly, into: a.view, first: row, slot: slot, place: place)
            #expect(a.values == sums && a.gapsAreIntact)
            dropout.apply(x.readOnly, into: x.view, first: row, slot: slot, place: place)
            #expect(x.values == expected && x.gapsAreIntact)
        }
    }

    /// Chunks are drawn several at a time across rows, and then the low bytes that they need.
    @Test(arguments: [1, 64, 255, 256, 300, 530])
    func `many rows are what each row is alone, and the bits are what is kept`(width: Int) {
        for rate in [0.1, 0.25, 0.5, 0.999] {
            let dropout = Dropout(seed: Self.seed, step: 3, rate: rate)
            let rows = 53
            let (x, y) = (GuardedMatrix(rows, width, seed: 1), GuardedMatrix(rows, width, seed: 2))
            var expected: [Float] = []
            for row in 0..<rows {
                let alone = GuardedMatrix(1, width, seed: 3)
                dropout.apply(x.readOnly.rows(row, 1), into: alone.view, first: 7 + row, slot: 4, place: 0x1_0003)
                expected += alone.values
            }
            let memory = UnsafeMutablePointer<UInt8>.allocate(
                capacity: BitMask.byteCount(rows: rows, columns: width))
            defer { memory.deallocate() }
            let kept = BitMask(memory, rows: rows, columns: width)
            dropout.apply(x.readOnly, into: y.view, first: 7, slot: 4, place: 0x1_0003, keeping: kept)
            #expect(y.values == expected && y.gapsAreIntact)
            let again = GuardedMatrix(rows, width, seed: 4)
            kept.apply(x.readOnly, scale: dropout.scale, into: again.view)
            #expect(again.values == expected && again.gapsAreIntact)
            let (sum, added) = (GuardedMatrix(rows, width, seed: 5), GuardedMatrix(rows, width, seed: 5))
            kept.rows(2, rows - 2).applyAdding(
                x.readOnly.rows(2, rows - 2), scale: dropout.scale, to: sum.view.rows(2, rows - 2))
            dropout.applyAdding(
                x.readOnly.rows(2, rows - 2), to: added.readOnly.rows(2, rows - 2), into: added.view.rows(2, rows - 2),
                first: 9, slot: 4, place: 0x1_0003)
            #expect(sum.values == added.values && sum.gapsAreIntact)
        }
    }

    @Test(arguments: laneSizes + [7, 8, 9, 130, 255, 256, 257])
    func `with a ReLU it is the ReLU and then the dropout, and the mask says what is left`(width: Int) {
        let dropout = Dropout(seed: Self.seed, step: 5, rate: 0.3)
        let (x, y) = (GuardedMatrix(3, width, seed: 1), GuardedMatrix(3, width, seed: 1))
        x.view[1, 0] = .nan
        y.view[1, 0] = .nan
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: BitMask.byteCount(rows: 3, columns: width))
        defer { memory.deallocate() }
        let mask = BitMask(memory, rows: 3, columns: width)
        for drops in [true, false] {
            if drops {
                dropout.applyRelu(x.view, 1..<3, mask: mask, slot: 4, place: 0x10003)
                relu(y.view)
                dropout.apply(y.readOnly.rows(1, 2), into: y.view.rows(1, 2), slot: 4, place: 0x10003)
            } else {
                relu(x.view, mask: mask)
            }
            #expect(x.gapsAreIntact)
            let dy = GuardedMatrix(3, width, seed: 9)
            let before = dy.values
            if drops { relu(x.view.rows(0, 1), mask: mask) }
            reluBackward(dy.view, mask: mask, scale: 1.5)
            for r in 0..<3 {
                for c in 0..<width {
                    let (got, expected) = (x.view[r, c], y.view[r, c])
                    #expect(r == 0 || got == expected || got.isNaN && expected.isNaN)
                    #expect(dy.view[r, c] == (got != 0 ? before[r * width + c] * 1.5 : 0))
                }
            }
            #expect(dy.gapsAreIntact)
        }
    }

    /// 300,000 decisions are independent draws with probability threshold / 65536; four standard deviations.
    @Test(arguments: [0.01, 0.1, 0.5, 0.9])
    func `the rate is met within 4 sigma`(rate: Double) {
        let (rows, width) = (1000, 300)
        let dropout = Dropout(seed: 5, step: 9, rate: rate)
        let x = GuardedMatrix(1, width) { _, _ in 1 }
        let y = GuardedMatrix(1, width) { _, _ in 0 }
        var fallen = 0
        for row in 0..<rows {
            dropout.apply(x.readOnly, into: y.view, first: row, slot: 2, place: 0x10003)
            fallen += y.values.filter { $0 == 0 }.count
        }
        let (n, p) = (Double(rows * width), (rate * 65536).rounded() / 65536)
        #expect(abs(Double(fallen) - n * p) <= 4 * (n * p * (1 - p)).squareRoot())
    }

    /// The backward applies a mask to the gradient: it must be exactly the mask of the forward, whatever the values.
    @Test func `the same key gives the same mask to forward and backward`() {
        let dropout = Dropout(seed: 5, step: 9, rate: 0.3)
        let again = Dropout(seed: 5, step: 9, rate: 0.3)
        let (x, dy) = (GuardedMatrix(1, 200) { _, _ in 1 }, GuardedMatrix(1, 200) { _, _ in -3 })
        dropout.apply(x.readOnly, into: x.view, first: 4, slot: 2, place: 0x10003)
        again.apply(dy.readOnly, into: dy.view, first: 4, slot: 2, place: 0x10003)
        #expect(x.values.map { $0 == 0 } == dy.values.map { $0 == 0 })
        #expect(dy.values.allSatisfy { $0 == 0 || $0 == -3 * dropout.scale })
    }

    @Test func `seed, step, slot, place and row each draw another mask`() {
        func mask(_ seed: UInt64, _ step: UInt32, _ slot: UInt32, _ place: UInt32, _ row: Int) -> [Float] {
            let x = GuardedMatrix(1, 256) { _, _ in 1 }
            Dropout(seed: seed, step: step, rate: 0.5).apply(
                x.readOnly, into: x.view, first: row, slot: slot, place: place)
            return x.values
        }
        let masks = [
            mask(1, 1, 1, 1, 1), mask(2, 1, 1, 1, 1), mask(1 << 40 | 1, 1, 1, 1, 1), mask(1, 2, 1, 1, 1),
            mask(1, 1, 2, 1, 1), mask(1, 1, 1, 2, 1), mask(1, 1, 1, 1, 2),
        ]
        #expect(Set(masks).count == masks.count)
        #expect(mask(1, 1, 1, 1, 1) == masks[0])
    }

    @Test func `rate 0 keeps everything as it is`() {
        let dropout = Dropout(seed: 1, step: 1, rate: 0)
        let x = GuardedMatrix(1, 100, seed: 1)
        let before = x.values
        dropout.apply(x.readOnly, into: x.view, first: 0, slot: 0, place: 0)
        #expect(!dropout.isActive && dropout.scale == 1 && x.values == before)
    }

    @Test func `a NaN that falls is gone and one that is kept stays`() {
        let dropout = Dropout(seed: 3, step: 1, rate: 0.5)
        let (ones, x) = (GuardedMatrix(1, 65) { _, _ in 1 }, GuardedMatrix(1, 65) { _, _ in .nan })
        dropout.apply(ones.readOnly, into: ones.view, first: 0, slot: 0, place: 0)
        dropout.apply(x.readOnly, into: x.view, first: 0, slot: 0, place: 0)
        #expect(zip(ones.values, x.values).allSatisfy { $0 == 0 ? $1 == 0 : $1.isNaN })
    }
}
