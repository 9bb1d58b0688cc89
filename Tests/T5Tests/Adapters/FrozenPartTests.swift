import Adapters
import Backbone
import BackboneChecks
import Tensors
import TestSupport
import Testing

@testable import T5

/// Parts of an adapter that stay as they began: what is trained beside them has the gradients that it has without them.
@Suite struct FrozenPartTests {
    /// A method with frozen parts.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The same with nothing frozen.
        let whole: GradientSetting
        let options: LowRankOptions

        init(
            _ description: String, _ method: LowRankOptions.Method, rankB: Int? = nil,
            mask: LowRankOptions.DropoutMask = .perInput, targets: LoraTargets = .everything,
            _ freeze: (inout LowRankOptions) -> Void
        ) {
            whole = GradientSetting(description, method, rankB: rankB, dropped: true) {
                ($0.targets, $0.dropoutMask) = (targets, mask)
            }
            testDescription = "\(method.rawValue), \(description)"
            var options = whole.options
            freeze(&options)
            self.options = options
        }

        var method: LowRankMethod { LowRankMethod(options, on: TinyT5.configuration(.v10)) }

        static let all =
            [LowRankOptions.Method.unolora, .unoloraStar, .loraPerTask].flatMap { method in
                [
                    Case("A", method) { $0.freezesA = true }, Case("B", method) { $0.freezesB = true },
                    Case("A, a mask per site", method, mask: .perSite) { $0.freezesA = true },
                    Case("A, q and v", method, targets: .queryAndValue) { $0.freezesA = true },
                    Case("A and B beside C", method, rankB: 2) { ($0.freezesA, $0.freezesB) = (true, true) },
                    // The lowest place that is adapted needs no gradient of its input.
                    Case("A, the decoder's last products alone", method, targets: .only("feedForward", "wo")) {
                        $0.freezesA = true
                    },
                ]
            } + star

        private static let star = [
            Case("the hypernetwork", .unoloraStar) { $0.hyper.trained = .nothing },
            Case("the hypernetwork and A", .unoloraStar) { ($0.hyper.trained, $0.freezesA) = (.nothing, true) },
            Case("A and B", .unoloraStar) { ($0.freezesA, $0.freezesB) = (true, true) },
            Case("old tasks", .unoloraStar) { $0.hyper.trained = .tasks([1, 3]) },
            Case("all but new tasks", .unoloraStar, rankB: 3) {
                ($0.freezesA, $0.freezesB, $0.hyper.trained) = (true, true, .tasks([1, 3]))
            },
            // No example of the batch has this task.
            Case("all but an absent task", .unoloraStar) {
                ($0.freezesA, $0.freezesB, $0.hyper.trained) = (true, true, .tasks([3]))
            },
            Case("old tasks without embeddings of tasks", .unoloraStar) {
                ($0.hyper.inputs, $0.hyper.trained) = ([.sample, .position], .tasks([1]))
            },
        ]
    }

    private func gradients(_ setting: GradientSetting, _ options: LowRankOptions) -> (Double, [Float]) {
        let adapter = TinyAdapter(TinyT5(.v10), options)
        let (loss, gradients) = adapter.gradients(TinyT5.batch(), dropout: setting.dropout)
        return (loss.sum, gradients)
    }

    @Test(arguments: Case.all)
    func `what is trained keeps the bits of its gradient, and what is frozen gets none`(frozen: Case) {
        var all = frozen.options
        (all.freezesA, all.freezesB, all.hyper.trained) = (false, false, .everything)
        let (loss, expected) = gradients(frozen.whole, all)
        let (same, found) = gradients(frozen.whole, frozen.options)
        #expect(loss == same)
        let method = frozen.method
        var isTrained = Array(repeating: false, count: method.parameters.count)
        for run in method.trained.runs {
            for i in run.place..<run.place + run.positions.count { isTrained[i] = true }
        }
        for entry in method.parameters.entries {
            for i in entry.range {
                #expect(found[i].bitPattern == (isTrained[i] ? expected[i] : 0).bitPattern, "\(entry.name)[\(i)]")
            }
        }
        // Nothing of this is true because there is nothing.
        #expect(isTrained.contains(false) && expected.contains { $0 != 0 })
        #expect(
            isTrained.indices.contains { isTrained[$0] && found[$0] != 0 } || frozen.testDescription.contains("absent"))
    }

    @Test(arguments: Case.all.filter { $0.options.freezesA || $0.options.freezesB })
    func `the gradients beside frozen parts are finite differences`(frozen: Case) {
        let check = GradientCheck(
            adapter: TinyAdapter(TinyT5(.v10), frozen.options), batch: TinyT5.batch(), dropout: frozen.whole.dropout)
        let disagreements = check.disagreements()
        #expect(disagreements.isEmpty, "\(disagreements.joined(separator: "\n"))")
    }

    @Test func `the trained rows are those of the options`() {
        func names(_ change: (inout LowRankOptions) -> Void) -> (layout: ParameterLayout, count: Int) {
            var options = LowRankOptions(method: .unoloraStar, rankA: 3, rankB: 2, tasks: 4)
            change(&options)
            let trained = LowRankMethod(options, on: TinyT5.configuration(.v10)).trained
            return (trained.layout, trained.count)
        }
        let all = names { _ in }
        let a = names { $0.freezesA = true }
        #expect(a.layout.entries.allSatisfy { !$0.name.hasSuffix("lora_A.weight") } && a.count < all.count)
        let b = names { $0.freezesB = true }
        #expect(b.layout.entries.allSatisfy { !$0.name.hasSuffix("lora_B.weight") })
        let hyper = names { $0.hyper.trained = .nothing }
        #expect(hyper.layout.entries.allSatisfy { $0.name.contains(".lora_") })
        let rows = names { ($0.freezesA, $0.freezesB, $0.hyper.trained) = (true, true, .tasks([0, 2])) }
        let left = rows.layout.entries.filter { !$0.name.hasSuffix("lora_C.weight") }
        #expect(left.map(\.name) == ["hypernet.task_embedding.weight"] && left.map(\.shape) == [[2, 8]])
    }
}
