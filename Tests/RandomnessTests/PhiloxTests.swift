import Randomness
import Testing

@Suite struct PhiloxTests {
    @Test func `known answers of the Random123 distribution`() {
        let zero = Philox(key: 0).block(SIMD4(0, 0, 0, 0))
        #expect(zero == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        let ones = Philox(key: .max).block(SIMD4(repeating: .max))
        #expect(ones == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        let digits = Philox(key: 0x299f_31d0_a409_3822).block(
            SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
        #expect(digits == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func `eight blocks at once are the eight single blocks`() {
        let philox = Philox(key: 0x1234_5678_9abc_def0)
        let (a, b, c, d) = philox.eightBlocks(first: 40, 7, 8, 9)
        for lane in 0..<8 {
            #expect(SIMD4(a[lane], b[lane], c[lane], d[lane]) == philox.block(SIMD4(40 + UInt32(lane), 7, 8, 9)))
        }
    }
}

@Suite struct RandomStreamTests {
    @Test func `a permutation holds every number once and depends on each key`() {
        func order(_ seed: UInt64, _ a: UInt32) -> [UInt32] {
            var stream = RandomStream(seed: seed, purpose: .test, a: a)
            return stream.permutation(100)
        }
        #expect(order(1, 0).sorted() == (0..<100).map { UInt32($0) })
        #expect(order(1, 0) == order(1, 0))
        #expect(order(1, 0) != order(2, 0))
        #expect(order(1, 0) != order(1, 1))
    }

    @Test func `below is uniform within four standard deviations`() {
        var stream = RandomStream(seed: 5, purpose: .test)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[stream.below(7)] += 1 }
        let tolerance = 4 * (70_000 * (1.0 / 7) * (6.0 / 7)).squareRoot()
        for count in counts { #expect(abs(Double(count) - 10_000) < tolerance) }
    }

    @Test func `normals have mean 0 and variance 1`() {
        var stream = RandomStream(seed: 6, purpose: .test)
        let draws = (0..<50_000).map { _ in stream.normal() }
        let mean = draws.reduce(0, +) / 50_000
        let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 50_000
        #expect(abs(mean) < 0.02)
        #expect(abs(variance - 1) < 0.03)
    }
}
