import Adapters
import Backbone
import Foundation
import Tensors
import TestSupport
import Testing

@testable import T5

@Suite struct LowRankStartTests {
    private func start(_ options: LowRankOptions, seed: UInt64 = 3) -> (LowRankMethod, Arena) {
        let layout = LowRankMethod(options, on: TinyT5.configuration(.v11))
        let weights = Arena(count: layout.parameters.count)
        layout.initialise(weights, seed: seed)
        return (layout, weights)
    }

    @Test(arguments: TinyT5.Family.allCases, [LowRankOptions.Method.unolora, .unoloraStar, .loraPerTask])
    func `with B = 0 the model is the frozen backbone, bit for bit`(
        family: TinyT5.Family, method: LowRankOptions.Method
    ) throws {
        let tiny = TinyT5(family)
        var options = LowRankOptions(method: method, rankA: 3, rankB: 2, tasks: 4)
        options.targets = .everything
        let layout = LowRankMethod(options, on: tiny.model.configuration)
        let weights = Arena(count: layout.parameters.count)
        layout.initialise(weights, seed: 3)
        let adaptation = layout.adaptation(weights: weights.readOnly, gradients: nil)
        let (adapted, frozen) = (
            T5Engine(model: tiny.model, adaptation: adaptation), T5Engine(model: tiny.model, adaptation: nil)
        )
        let batch = TinyT5.batch()
        #expect(adapted.logits(batch).copied() == frozen.logits(batch).copied())
        let limits = [6, 6, 6, 6]
        #expect(
            try adapted.generate(batch, maxNewTokens: limits) == frozen.generate(batch, maxNewTokens: limits))
        // B makes the difference.
        for entry in layout.parameters.entries where entry.name.hasSuffix("lora_B.weight") {
            for i in entry.range { weights.base[i] = 0.1 }
        }
        #expect(adapted.logits(batch).copied() != frozen.logits(batch).copied())
    }

    @Test func `the method frozen has no trainable and is the backbone`() {
        let tiny = TinyT5(.v10)
        let layout = LowRankMethod(LowRankOptions(method: .frozen, tasks: 4), on: tiny.model.configuration)
        #expect(layout.parameters.count == 0 && layout.siteNames.isEmpty)
        let gradients = Arena(count: 0)
        let adaptation = layout.adaptation(weights: Arena(count: 0).readOnly, gradients: gradients)
        let (adapted, frozen) = (
            T5Engine(model: tiny.model, adaptation: adaptation), T5Engine(model: tiny.model, adaptation: nil)
        )
        let batch = TinyT5.batch()
        #expect(adapted.forward(batch, dropout: nil) == frozen.forward(batch, dropout: nil))
        adapted.backward()
        frozen.backward()
    }

    @Test(arguments: [LowRankOptions.AInitialisation.kaimingIn, .kaimingRank])
    func `A is uniform up to its bound, B is 0 and C has ones on its diagonal`(
        initialisation: LowRankOptions.AInitialisation
    ) {
        let options = LowRankOptions(
            method: .loraPerTask, rankA: 50, rankB: 30, tasks: 4, aInitialisation: initialisation)
        let (layout, weights) = start(options)
        for entry in layout.parameters.entries {
            let values = entry.range.map { weights.base[$0] }
            if entry.name.hasSuffix("lora_A.weight") {
                let bound = 1 / Float(initialisation == .kaimingRank ? 50 : entry.shape[2]).squareRoot()
                let largest = Float(largestMagnitude(values))
                let square = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
                // 2400 draws from a uniform distribution, whose variance is bound^2 / 3.
                #expect(largest <= bound && largest > 0.98 * bound)
                #expect(abs(square / (bound * bound / 3) - 1) < 0.1)
            } else if entry.name.hasSuffix("lora_C.weight") {
                let expected = (0..<4 * 30 * 50).map { ($0 / 50) % 30 == $0 % 50 ? Float(1) : 0 }
                #expect(values == expected)
            } else {
                #expect(values.allSatisfy { $0 == 0 })
            }
        }
    }

    @Test func `the hypernetwork starts as the method says`() {
        var options = LowRankOptions(method: .unoloraStar, rankA: 8, tasks: 200)
        options.hyper.dimension = 20
        options.hyper.outputDimension = 20
        options.hyper.bottleneck = 40
        let (layout, weights) = start(options)
        for entry in layout.parameters.entries where entry.name.hasPrefix("hypernet.") {
            let values = entry.range.map { Double(weights.base[$0]) }
            let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
            let expected: Double =
                if entry.name.hasSuffix("bias") {
                    0
                } else if entry.name.hasSuffix("embedding.weight") {
                    1
                } else if entry.name == "hypernet.scale.weight" {
                    0.02
                } else {
                    // Xavier: uniform up to sqrt(6 / (in + out)), with the standard deviation sqrt(2 / (in + out)).
                    (2 / Double(entry.shape[0] + entry.shape[1])).squareRoot()
                }
            #expect(abs(deviation - expected) <= 0.15 * expected, "\(entry.name): \(deviation), not \(expected)")
        }
    }

    @Test func `the start is a function of the seed`() {
        let options = LowRankOptions(method: .unoloraStar, tasks: 3)
        let (first, again, other) = (start(options).1, start(options).1, start(options, seed: 4).1)
        #expect(Array(first.elements) == Array(again.elements))
        #expect(Array(first.elements) != Array(other.elements))
    }
}
