import Adapters
import Backbone
import BackboneChecks
import Kernels
import Tensors
import TestSupport
import Testing

@testable import T5

/// Mean and deviation of the scales of a task's texts, against the hypernetwork's formula in double precision.
@Suite struct TaskScalesTests {
    private static func adapter(_ inputs: Set<HypernetworkOptions.Input>, onePlus: Bool = true) -> TinyAdapter {
        var hyper = HypernetworkOptions()
        (hyper.inputs, hyper.startsAtOne) = (inputs, onePlus)
        let options = LowRankOptions(method: .unoloraStar, rankA: 3, rankB: 2, tasks: 3, hyper: hyper)
        return TinyAdapter(TinyT5(.v10), options)
    }

    /// The scales of one text, `[sites][rank]`.
    private static func scales(_ adapter: TinyAdapter, _ method: LowRankMethod, task: Int, text: [Int32]) -> [[Double]]
    {
        func rows(_ name: String) -> [[Double]] {
            guard let entry = method.parameters[name] else { return [] }
            let matrix = adapter.weights.readOnly.matrix(entry)
            let values = matrix.copied().map(Double.init)
            return (0..<matrix.rows).map { Array(values[$0 * matrix.columns..<($0 + 1) * matrix.columns]) }
        }
        func chain(_ name: String, _ layers: Int, _ input: [Double]) -> [Double] {
            (0..<layers).reduce(input) { x, layer in
                let y = zip(rows("hypernet.\(name).\(layer).weight"), rows("hypernet.\(name).\(layer).bias")[0]).map {
                    weight, bias in bias + zip(weight, x).reduce(0) { $0 + $1.0 * $1.1 }
                }
                return layer + 1 < layers ? y.map { max($0, 0) } : y
            }
        }
        let embedding = adapter.tiny.model.embedding.copied().map(Double.init)
        let width = adapter.tiny.model.configuration.modelWidth
        let mean = (0..<width).map { column in
            text.reduce(0) { $0 + embedding[Int($1) * width + column] } / Double(text.count)
        }
        let inputs = method.options.hyper.inputs
        let (u, c) = (rows("hypernet.scale.weight"), rows("hypernet.scale.bias"))
        let rank = method.options.rankA
        return method.siteNames.indices.map { site in
            let input =
                (inputs.contains(.task) ? rows("hypernet.task_embedding.weight")[task] : [])
                + (inputs.contains(.position) ? rows("hypernet.position_embedding.weight")[site] : [])
                + (inputs.contains(.sample) ? chain("sample_encoder", 3, mean) : [])
            let output = chain("mlp", 4, input)
            return (0..<rank).map { k in
                (method.options.hyper.startsAtOne ? 1 : 0) + c[site][k]
                    + zip(u[site * rank + k], output).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }
    }

    @Test(arguments: [true, false])
    func `mean and deviation are those of the texts' own scales`(onePlus: Bool) throws {
        let adapter = Self.adapter([.task, .position, .sample], onePlus: onePlus)
        let method = try #require(adapter.method as? LowRankMethod)
        // More texts than are computed together.
        let batch = RaggedBatch.random((0..<150).map { ($0 % 9 + 1, 1, 0) })
        let texts = (0..<batch.count).map { i in
            let start = batch.sourceLengths[..<i].reduce(0, +)
            return Array(batch.sources[start..<start + batch.sourceLengths[i]])
        }
        #expect(method.hasScales && method.scalesReadTexts)
        #expect(method.scales(task: 1, weights: adapter.weights.readOnly) == nil)
        func sums(_ range: Range<Int>) throws -> ScaleSums {
            try batch.sources.withUnsafeBufferPointer { sources in
                try #require(
                    method.scaleSums(
                        task: 1, weights: adapter.weights.readOnly, texts: range, embedding: adapter.model.embedding,
                        workspace: Workspace()
                    ) { i in
                        let start = batch.sourceLengths[..<i].reduce(0, +)
                        return UnsafeBufferPointer(rebasing: sources[start..<start + batch.sourceLengths[i]])
                    })
            }
        }
        let found = try sums(0..<150).scales()
        var parts = try sums(0..<70)
        parts.add(try sums(70..<150))
        #expect(found.texts == 150 && parts.scales().texts == 150)
        let expected = texts.map { Self.scales(adapter, method, task: 1, text: $0) }
        for site in method.siteNames.indices {
            for k in 0..<3 {
                let values = expected.map { $0[site][k] }
                let mean = values.reduce(0, +) / 150
                let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 150).squareRoot()
                #expect(deviation > 1e-4)
                for own in [found, parts.scales()] {
                    #expect(abs(own.mean[site][k] - mean) < 1e-5 * max(1, abs(mean)))
                    #expect(abs(own.deviation[site][k] - deviation) < 1e-5 * max(1, abs(mean)))
                }
            }
        }
        #expect(found.mean.count == method.siteCount)
    }

    @Test(arguments: [[HypernetworkOptions.Input.task], [.task, .position], [.position]])
    func `without the sample every text of a task has the same scales`(inputs: [HypernetworkOptions.Input]) throws {
        let adapter = Self.adapter(Set(inputs))
        let method = try #require(adapter.method as? LowRankMethod)
        let found = try #require(method.scales(task: 2, weights: adapter.weights.readOnly))
        let expected = Self.scales(adapter, method, task: 2, text: [5, 1])
        #expect(found.texts == nil && found.deviation.allSatisfy { $0.allSatisfy { $0 < 1e-7 } })
        for (own, other) in zip(found.mean, expected) {
            #expect(zip(own, other).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) })
        }
        #expect(method.siteCount == found.mean.count)
    }

    @Test func `other low-rank methods have no scales`() throws {
        let adapter = TinyAdapter(TinyT5(.v10), LowRankOptions(method: .unolora, rankA: 2, tasks: 3))
        let method = try #require(adapter.method as? LowRankMethod)
        #expect(!method.hasScales && method.scales(task: 0, weights: adapter.weights.readOnly) == nil)
    }
}
