import Adapters
import Backbone
import BackboneChecks
import Tensors
import TestSupport
import Testing

@testable import T5

/// Gradients of HyperFormer++ and of full fine-tuning.
@Suite struct HyperFormerGradientTests {
    /// Examples whose tasks alternate, so that a task's rows are not next to one another, and one task is not drawn.
    private static let alternating: [(source: Int, target: Int, task: Int)] = [
        (5, 3, 1), (4, 2, 0), (3, 1, 1), (2, 2, 3), (7, 1, 0), (1, 2, 3), (6, 1, 1),
    ]

    private static func adapter(
        _ family: TinyT5.Family, reduction: Int = 4, blocks: (encoder: Int, decoder: Int) = (2, 2)
    ) -> TinyAdapter {
        let tiny = TinyT5(family, encoderBlocks: blocks.encoder, decoderBlocks: blocks.decoder)
        return TinyAdapter(
            tiny, HyperFormerMethod(tasks: 4, reduction: reduction, on: tiny.model.configuration), deviation: 0.1)
    }

    private static func full(_ family: TinyT5.Family) -> TinyAdapter {
        let tiny = TinyT5(family)
        return TinyAdapter(tiny, FullMethod(on: tiny.model.configuration), deviation: 0.05)
    }

    private static func expectAgreement(_ adapter: TinyAdapter, dropped: Bool) {
        let check = GradientCheck(
            adapter: adapter, batch: TinyT5.batch(alternating),
            dropout: dropped ? DropoutKey(seed: 99, step: 5, rate: 0.15) : nil, labelSmoothing: dropped ? 0.1 : 0)
        let disagreements = check.disagreements()
        #expect(disagreements.isEmpty, "\(disagreements.joined(separator: "\n"))")
    }

    @Test(arguments: TinyT5.Family.allCases, [false, true])
    func `the backward of generated adapters is their finite difference`(family: TinyT5.Family, dropped: Bool) {
        Self.expectAgreement(Self.adapter(family), dropped: dropped)
    }

    /// With these reductions the adapters have one column, as many as the model, and a width that does not divide the model's.
    @Test(arguments: [12, 1, 5])
    func `so it is with every width of the adapters`(reduction: Int) {
        Self.expectAgreement(Self.adapter(.v10, reduction: reduction, blocks: (1, 1)), dropped: false)
    }

    @Test(arguments: [(3, 1), (1, 3)])
    func `so it is when one stack has more blocks than the other`(encoder: Int, decoder: Int) {
        Self.expectAgreement(Self.adapter(.v11, blocks: (encoder, decoder)), dropped: true)
    }

    @Test(arguments: TinyT5.Family.allCases, [false, true])
    func `the backward of full fine-tuning is its finite difference`(family: TinyT5.Family, dropped: Bool) {
        Self.expectAgreement(Self.full(family), dropped: dropped)
    }

    @Test(arguments: TinyT5.Family.allCases) func `no tensor is without a gradient`(family: TinyT5.Family) {
        for adapter in [Self.adapter(family), Self.full(family)] {
            let (_, gradients) = adapter.gradients(TinyT5.batch(Self.alternating))
            for entry in adapter.method.parameters.entries {
                #expect(largestMagnitude(gradients[entry.range]) > 0, "\(family.rawValue) \(entry.name)")
            }
        }
    }

    @Test func `a gradient that is wrong is found`() {
        for adapter in [Self.adapter(.v10), Self.full(.v11)] {
            let check = GradientCheck(adapter: adapter, batch: TinyT5.batch(Self.alternating))
            let (_, wrong) = adapter.gradients(check.batch, labelSmoothing: 0.1)
            #expect(check.disagreements(of: wrong).count > adapter.method.parameters.entries.count)
        }
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `the embedding of a task acts on the examples of that task alone`(family: TinyT5.Family) throws {
        let adapter = Self.adapter(family)
        let batch = TinyT5.batch(Self.alternating)
        let entry = try #require(adapter.method.parameters["hypernet.task_embedding.weight"])
        let width = entry.count / 4
        let (before, gradients) = adapter.gradients(batch)
        for task in 0..<4 {
            let row = entry.offset + task * width..<entry.offset + (task + 1) * width
            #expect(gradients[row].contains { $0 != 0 } == batch.tasks.contains(task))
            let kept = Array(adapter.weights.elements[row])
            for i in row { adapter.weights.base[i] += 0.5 }
            let after = adapter.gradients(batch).loss
            for example in 0..<batch.count {
                let differs = before.perExample[example] != after.perExample[example]
                #expect(differs == (batch.tasks[example] == task), "example \(example), task \(task)")
            }
            (adapter.weights.base + row.lowerBound).update(from: kept, count: width)
        }
    }

    @Test func `the same text has another loss in another task`() {
        let adapter = Self.adapter(.v10)
        let one = TinyT5.batch([(5, 3, 0)])
        var batch = RaggedBatch()
        for task in [2, 0, 3, 1, 0] { batch.append(source: one.sources, target: one.targets, task: task, slot: 0) }
        let losses = adapter.gradients(batch).loss.perExample
        for (i, loss) in losses.enumerated() {
            for (j, other) in losses.enumerated() where i != j {
                #expect((abs(loss - other) < 1e-3) == (batch.tasks[i] == batch.tasks[j]), "\(i) and \(j): \(losses)")
            }
        }
    }

    @Test func `a task that the adapter does not have ends the process instead of reading other memory`() async {
        for task in [4, -1] {
            await #expect(processExitsWith: .failure) { [task = task as Int] in
                _ = Self.adapter(.v10).gradients(TinyT5.batch([(5, 3, 1), (4, 2, task)]))
            }
        }
        await #expect(processExitsWith: .success) {
            _ = Self.adapter(.v10).gradients(TinyT5.batch([(5, 3, 1), (4, 2, 0)]))
        }
    }
}
