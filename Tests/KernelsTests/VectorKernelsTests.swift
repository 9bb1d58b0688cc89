import CVectorKernels
import Foundation
import TestSupport
import Testing

@testable import Kernels
@testable import Tensors

/// The versions of the loops: which one runs decides no bit. The version without vectors is plain C for any processor; it rounds
/// differently only on x86, where it has no fused multiply-add.
@Suite struct VectorKernelsTests {
    /// The versions with vectors that this processor has.
    nonisolated(unsafe) private static let vectors = [Int32(cvectorkernels_avx512), Int32(cvectorkernels_avx2)]
        .compactMap { cvectorkernels_version($0)?.pointee }
    nonisolated(unsafe) private static let plain = cvectorkernels_version(Int32(cvectorkernels_plain))!.pointee

    private static let sizes = [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 46, 64, 100, 255, 256, 257, 600]

    /// Runs `body` with each version and expects equal bits from those with vectors, and results of the plain one within
    /// `tolerance` of them, or equal if that is 0.
    private func compare(
        _ name: String, tolerance: Double = 0, _ body: (cvectorkernels_functions) -> [Float]
    ) {
        let plain = body(Self.plain)
        let others = Self.vectors.map(body)
        for result in others {
            #expect(result.map(\.bitPattern) == others[0].map(\.bitPattern), "\(name): the versions differ")
            let worst = zip(result, plain).reduce(0.0) { larger($0, Double($1.0 - $1.1).magnitude) }
            #expect(worst <= tolerance, "\(name): \(worst) from the plain version")
        }
    }

    @Test func `a build for AVX2 has its vectors, and the program uses the fastest version`() {
        #if AVX2 && arch(x86_64)
            #expect(!Self.vectors.isEmpty)
        #endif
        if ProcessInfo.processInfo.environment["UNOLORA_VECTORS"] == nil {
            let fastest = Self.vectors.first ?? Self.plain
            #expect(String(cString: cvectorkernels_here().pointee.name) == String(cString: fastest.name))
        }
    }

    @Test(arguments: sizes)
    func `dropout`(width: Int) {
        let x = GuardedMatrix(3, width, seed: 1)
        for threshold in [0, 1, 255, 256, 6_554, 32_768, 65_535] as [UInt32] {
            var draw = cvectorkernels_dropout(
                key0: 5, key1: 77, place: 0x1_0003, slot: 4, step: 9, threshold: threshold, scale: 1.25)
            compare("dropout of \(width) at \(threshold)") { version in
                let y = GuardedMatrix(3, width, seed: 2)
                let bytes = (width + 63) / 64 * 8
                var mask = [UInt8](repeating: 0xAA, count: 3 * bytes)
                version.dropout(
                    &draw, x.row, Int64(x.view.stride), nil, 0, y.row, Int64(y.view.stride), nil, 0, 3, Int64(width), 11
                )
                let kept = GuardedMatrix(3, width, seed: 4)
                version.dropout(
                    &draw, x.row, Int64(x.view.stride), y.row, Int64(y.view.stride), kept.row, Int64(kept.view.stride),
                    &mask, Int64(bytes), 3, Int64(width), 2)
                // The bits say what was kept.
                version.masked(
                    mask, Int64(bytes), 1.25, x.row, Int64(x.view.stride), y.row, Int64(y.view.stride), y.row,
                    Int64(y.view.stride), 3, Int64(width))
                #expect(y.gapsAreIntact && kept.gapsAreIntact && y.values == kept.values)
                return y.values
            }
            compare("ReLU of \(width) at \(threshold)") { version in
                let y = GuardedMatrix(3, width, seed: 1)
                let bytes = (width + 7) / 8
                var mask = [UInt8](repeating: 0xAA, count: 3 * bytes)
                version.relu(&draw, y.row, Int64(y.view.stride), &mask, Int64(bytes), 3, Int64(width), 0)
                let gradient = GuardedMatrix(1, width, seed: 3)
                version.masked(
                    mask, Int64(bytes), 1.25, gradient.row, 0, nil, 0, gradient.row, 0, 1, Int64(width))
                #expect(y.gapsAreIntact && gradient.gapsAreIntact)
                return y.values + gradient.values + mask.map(Float.init)
            }
        }
    }

    /// More chunks than are drawn at a time, and more elements that need a low byte than share a draw.
    @Test(arguments: [255, 300, 530])
    func `dropout of many rows`(width: Int) {
        let (rows, bytes) = (60, (width + 63) / 64 * 8)
        let x = GuardedMatrix(rows, width, seed: 1)
        for threshold in [1, 6_554, 65_535] as [UInt32] {
            var draw = cvectorkernels_dropout(
                key0: 5, key1: 77, place: 0x1_0003, slot: 4, step: 9, threshold: threshold, scale: 1.25)
            compare("dropout of \(rows) x \(width) at \(threshold)") { version in
                let y = GuardedMatrix(rows, width, seed: 2)
                var mask = [UInt8](repeating: 0xAA, count: rows * bytes)
                version.dropout(
                    &draw, x.row, Int64(x.view.stride), nil, 0, y.row, Int64(y.view.stride), &mask, Int64(bytes),
                    Int64(rows), Int64(width), 3)
                let isRight = (0..<rows).allSatisfy { r in
                    (0..<width).allSatisfy { c in
                        (mask[r * bytes + c / 8] >> UInt8(c % 8) & 1 == 1) == (y.view[r, c] != 0 || x.view[r, c] == 0)
                    }
                }
                #expect(y.gapsAreIntact && isRight)
                return y.values
            }
        }
    }

    @Test(arguments: sizes, [(false, false), (false, true), (true, false), (true, true)])
    func `products`(n: Int, transposed: (a: Bool, b: Bool)) {
        for (m, k) in [(1, 1), (5, 8), (12, 16), (13, 17), (46, 64), (100, 3)] {
            let a = transposed.a ? GuardedMatrix(k, m, seed: 1) : GuardedMatrix(m, k, seed: 1)
            let b = transposed.b ? GuardedMatrix(n, k, seed: 2) : GuardedMatrix(k, n, seed: 2)
            func view(_ matrix: GuardedMatrix, _ isTransposed: Bool) -> cvectorkernels_operand {
                let stride = Int64(matrix.view.stride)
                return cvectorkernels_operand(
                    base: matrix.row, row: isTransposed ? 1 : stride, column: isTransposed ? stride : 1)
            }
            compare("product \(m) \(n) \(k)", tolerance: 4e-6 * Double(k)) { version in
                let c = GuardedMatrix(m, n, seed: 3)
                var panels = [Float](repeating: .nan, count: (n + 15) / 16 * 16 * k)
                for adds in [0, 1] as [Int32] {
                    version.product(
                        Int64(m), Int64(n), Int64(k), view(a, transposed.a), view(b, transposed.b), c.row,
                        Int64(c.view.stride), 0.75, adds, &panels)
                }
                let packed = GuardedMatrix(m, n, seed: 3)
                version.pack(Int64(n), Int64(k), view(b, transposed.b), &panels)
                for adds in [0, 1] as [Int32] {
                    version.packed_product(
                        Int64(m), Int64(n), Int64(k), view(a, transposed.a), panels, packed.row,
                        Int64(packed.view.stride), 0.75, adds)
                }
                #expect(c.gapsAreIntact && packed.gapsAreIntact && packed.values == c.values)
                return c.values
            }
            guard !transposed.a, !transposed.b else { continue }
            compare("outer product \(m) \(n) \(k)", tolerance: 4e-6 * Double(k)) { version in
                let (left, right) = (GuardedMatrix(k, m, seed: 4), GuardedMatrix(k, n, seed: 5))
                let sums = GuardedMatrix(m, n, seed: 6)
                version.outer_product(
                    Int64(k), Int64(m), Int64(n), left.row, Int64(left.view.stride), right.row,
                    Int64(right.view.stride), sums.row, Int64(sums.view.stride))
                #expect(sums.gapsAreIntact)
                return sums.values
            }
        }
    }

    @Test(arguments: sizes)
    func `rows`(count: Int) {
        let bias = GuardedMatrix(1, count + 3, seed: 1)
        compare("softmax of \(count)", tolerance: 1e-6) { version in
            var (p, dp) = (
                GuardedMatrix(1, 3 * count, seed: 2, deviation: 3).values, [Float](repeating: 0, count: count)
            )
            p.withUnsafeMutableBufferPointer { p in
                var scores = cvectorkernels_scores(
                    base: p.baseAddress, rows: 3, columns: Int64(count), bias: bias.row + 3,
                    visible: Int64((count + 1) / 2), growth: 1)
                version.softmax(&scores)
            }
            for i in dp.indices { dp[i] = Float(i % 5) - 2 }
            version.softmax_backward(p, &dp, Int64(count))
            return p + dp
        }
        compare("exponentials of \(count)", tolerance: 2e-4) { version in
            let logits = GuardedMatrix(1, count, seed: 4, deviation: 4)
            var (top, total, sum) = (Float.zero, Float.zero, 0.0)
            version.exponentials(logits.row, Int64(count), &top, &total, &sum)
            #expect(logits.gapsAreIntact)
            return logits.values + [top, total, Float(sum)]
        }
        compare("fixed point of \(count)") { version in
            let values = GuardedMatrix(1, count) { _, c in
                [1e-13, -0.0, 4_194_303.75, -4_194_304, 0x1.8p-40, 0x1p-41, -0x1.8p-41, 0x1.000002p-17][c % 8]
                    * (c < 8 ? 1 : Float(c) / 600)
            }
            var sums = (0..<count).map { Int64($0) << 33 }
            let isGood = version.fixed_point(values.row, &sums, Int64(count), 0x1p22)
            let expected = values.values.enumerated().map { (Int64($0) << 33) + FixedPoint.quanta(Double($1)) }
            #expect(isGood == 1 && sums == expected)
            return []
        }
        compare("AdamW of \(count)") { version in
            var factors = cvectorkernels_adamw(
                b1: 0.9, b2: 0.999, c1: 0.1, c2: 0.001, keep: 0.99, step: 0.01, root: 0.3, epsilon: 1e-8)
            let (w, g, m) = (
                GuardedMatrix(1, count, seed: 1), GuardedMatrix(1, count, seed: 2), GuardedMatrix(1, count, seed: 3)
            )
            let v = GuardedMatrix(1, count) { _, c in Float(c % 3) * 1e-3 }
            version.adamw(&factors, w.row, g.row, m.row, v.row, Int64(count))
            return w.values + m.values + v.values
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 0x1.000002p22, -0x1.000002p22])
    func `a value that an exact sum cannot hold is reported wherever it is`(value: Float) {
        for version in Self.vectors + [Self.plain] {
            for place in 0..<19 {
                var values = [Float](repeating: 1, count: 19)
                values[place] = value
                var sums = [Int64](repeating: 0, count: 19)
                #expect(version.fixed_point(values, &sums, 19, 0x1p22) == 0, "place \(place)")
            }
        }
    }
}
