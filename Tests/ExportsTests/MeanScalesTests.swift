import Adapters
import Backbone
import Kernels
import Tensors
import TestSupport
import Testing
import Training

@testable import Exports

@Suite struct MeanScalesTests {
    init() { BLAS.useOneThread() }

    /// Texts at fixed addresses.
    private final class Texts: @unchecked Sendable {
        // Unchecked: only `init` writes.
        private let buffers: [UnsafeMutableBufferPointer<Int32>]

        init(_ texts: [[Int32]]) {
            buffers = texts.map { text in
                let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: text.count)
                _ = buffer.initialize(from: text)
                return buffer
            }
        }

        deinit { buffers.forEach { $0.deallocate() } }

        var count: Int { buffers.count }
        subscript(index: Int) -> UnsafeBufferPointer<Int32> { UnsafeBufferPointer(buffers[index]) }
    }

    private static func mean(
        _ method: LowRankMethod, _ weights: Arena, _ model: any Backbone, task: Int, _ texts: [[Int32]],
        threads: Int = 1
    ) throws -> [Double] {
        let texts = Texts(texts)
        let scales = method.scales(
            task: task, weights: weights.readOnly, texts: texts.count, embedding: model.embedding, threads: threads
        ) { texts[$0] }
        return try #require(scales).mean.flatMap(\.self)
    }

    /// Texts of different lengths.
    private static func text(_ number: Int) -> [Int32] {
        (0...number % 9).map { Int32(2 + (number * 7 + $0 * 5) % 60) } + [1]
    }

    @Test(arguments: TinyBase.Form.allCases, [(4, 4), (5, 2), (2, 5)])
    func `for one text the static adapter is the adapter of that text`(form: TinyBase.Form, ranks: (Int, Int)) throws {
        let base = try TinyBase(form)
        let model = try base.open()
        let (method, weights) = base.method(.unoloraStar, rankA: ranks.0, rankB: ranks.1)
        for (task, text) in [(0, TinyBase.texts[0]), (1, TinyBase.texts[2])] {
            let scales = try Self.mean(method, weights, model, task: task, [text])
            #expect(scales.contains { abs($0 - 1) > 0.05 })
            let expected = TinyBase.logits(model, method, weights, task: task, texts: [text])
            let adapter = StaticAdapter(method, weights: weights.readOnly, task: task, scales: scales)
            let found = adapter.applied(to: model, like: method.options).logits(task: task, texts: [text])
            #expect(largestDifference(found, expected) < 1e-5 * largestMagnitude(expected))
        }
    }

    @Test func `the mean is that of all texts, with the same bits for any number of threads`() throws {
        let base = try TinyBase(.v10)
        let model = try base.open()
        let (method, weights) = base.method(.unoloraStar)
        // More than one part.
        let texts = (0..<1_500).map(Self.text)
        let found = try Self.mean(method, weights, model, task: 1, texts)
        #expect(try Self.mean(method, weights, model, task: 1, texts, threads: 3) == found)
        var expected = [Double](repeating: 0, count: found.count)
        for text in texts {
            let one = try Self.mean(method, weights, model, task: 1, [text])
            for i in expected.indices { expected[i] += one[i] / Double(texts.count) }
        }
        #expect(largestDifference(found, expected) < 1e-12)
        #expect(try Self.mean(method, weights, model, task: 0, texts) != found)
    }

    @Test func `without the text as an input no text is read`() throws {
        let base = try TinyBase(.v10)
        let model = try base.open()
        var hyper = HypernetworkOptions()
        hyper.inputs = [.task, .position]
        let (method, weights) = base.method(.unoloraStar, hyper: hyper)
        let scales = try Self.mean(method, weights, model, task: 1, [])
        let expected = TinyBase.logits(model, method, weights, task: 1)
        let adapter = StaticAdapter(method, weights: weights.readOnly, task: 1, scales: scales)
        let found = adapter.applied(to: model, like: method.options).logits(task: 1)
        #expect(largestDifference(found, expected) < 1e-5 * largestMagnitude(expected))
    }
}
