import Adapters
import Backbone
import Kernels
import Tensors
import TestSupport
import Testing

@testable import Exports

@Suite struct StaticAdapterTests {
    init() { BLAS.useOneThread() }

    /// `(alpha / rankA) B C diag(s) A` of a site, `[out, in]`, in Double.
    private static func update(
        _ method: LowRankMethod, _ weights: Arena, _ module: String, task: Int, scales: [Double]?
    ) throws -> [Double] {
        let (rankA, rankB) = (method.options.rankA, method.options.rankB)
        func part(_ ending: String) throws -> (values: [Double], rows: Int, columns: Int) {
            let entry = try #require(method.parameters[module + ending])
            let (rows, columns) = (entry.shape[entry.shape.count - 2], entry.shape[entry.shape.count - 1])
            let start = entry.offset + (entry.shape.count == 3 ? task * rows * columns : 0)
            return (weights.elements[start..<start + rows * columns].map(Double.init), rows, columns)
        }
        let (a, b) = (try part(".lora_A.weight"), try part(".lora_B.weight"))
        let c = rankA == rankB ? nil : try part(".lora_C.weight").values
        var result = [Double](repeating: 0, count: b.rows * a.columns)
        for row in 0..<b.rows {
            for column in 0..<a.columns {
                var sum = 0.0
                for i in 0..<rankB {
                    for k in 0..<rankA {
                        let core = c.map { $0[i * rankA + k] } ?? (i == k ? 1 : 0)
                        let product = b.values[row * rankB + i] * core
                        sum += product * (scales?[k] ?? 1) * a.values[k * a.columns + column]
                    }
                }
                result[row * a.columns + column] = method.options.alpha / Double(rankA) * sum
            }
        }
        return result
    }

    @Test(arguments: [(4, 4), (6, 3), (3, 6), (5, 1), (1, 4)], [false, true])
    func `what is folded is the same update in the larger rank`(ranks: (Int, Int), isScaled: Bool) throws {
        for form in TinyBase.Form.allCases {
            let base = try TinyBase(form)
            for name in [LowRankOptions.Method.unolora, .loraPerTask] {
                let (method, weights) = base.method(name, rankA: ranks.0, rankB: ranks.1)
                let count = method.siteCount * ranks.0
                let scales = isScaled ? (0..<count).map { 0.5 + Double($0 % 7) / 3 } : nil
                let adapter = StaticAdapter(method, weights: weights.readOnly, task: 1, scales: scales)
                #expect(adapter.rank == max(ranks.0, ranks.1))
                #expect(adapter.sites.map(\.module) == method.siteNames)
                for (index, site) in adapter.sites.enumerated() {
                    let own = scales.map { Array($0[index * ranks.0..<(index + 1) * ranks.0]) }
                    let expected = try Self.update(method, weights, site.module, task: 1, scales: own)
                    var found: [Double] = []
                    for row in 0..<site.outputWidth {
                        for column in 0..<site.inputWidth {
                            found.append(
                                adapter.factor
                                    * (0..<adapter.rank).reduce(0.0) { sum, k in
                                        sum + Double(site.b[row * adapter.rank + k])
                                            * Double(site.a[k * site.inputWidth + column])
                                    })
                        }
                    }
                    #expect(largestDifference(found, expected) < 1e-6 * largestMagnitude(expected))
                }
            }
        }
    }

    @Test func `what is not folded keeps its bits`() throws {
        let base = try TinyBase(.v10)
        for (name, task) in [(LowRankOptions.Method.unolora, 0), (.loraPerTask, 1)] {
            let (method, weights) = base.method(name)
            let adapter = StaticAdapter(method, weights: weights.readOnly, task: task)
            for site in adapter.sites {
                for (ending, values) in [(".lora_A.weight", site.a), (".lora_B.weight", site.b)] {
                    let entry = try #require(method.parameters[site.module + ending])
                    let start = entry.offset + (name == .loraPerTask ? task * values.count : 0)
                    #expect(values == Array(weights.elements[start..<start + values.count]))
                }
            }
        }
    }

    @Test(arguments: TinyBase.Form.allCases, [(4, 4), (5, 2), (2, 5)])
    func `it computes the logits of the method`(form: TinyBase.Form, ranks: (Int, Int)) throws {
        let base = try TinyBase(form)
        let model = try base.open()
        for (name, task) in [(LowRankOptions.Method.unolora, 0), (.loraPerTask, 0), (.loraPerTask, 1)] {
            let (method, weights) = base.method(name, rankA: ranks.0, rankB: ranks.1)
            let expected = TinyBase.logits(model, method, weights, task: task)
            let adapter = StaticAdapter(method, weights: weights.readOnly, task: task)
            let found = adapter.applied(to: model, like: method.options).logits(task: task)
            let scale = largestMagnitude(expected)
            #expect(largestDifference(found, expected) < 1e-5 * scale)
            #expect(largestDifference(TinyBase.logits(model, nil, nil), expected) > 0.01 * scale)
        }
    }
}
