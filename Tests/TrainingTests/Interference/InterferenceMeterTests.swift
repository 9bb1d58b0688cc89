import Kernels
import Runs
import Tensors
import Testing

@testable import Training

/// What is measured of micro-batches whose gradients are written out, from the sums to the record. All numbers that are expected
/// were computed by hand.
@Suite struct InterferenceMeterTests {
    private static let names = ["a", "b", "c"]

    /// Two tensors of three elements; of the first one only the first and the last row are trained.
    private static let trained: TrainedParameters = {
        var layout = ParameterLayout()
        layout.append("first", [3, 1])
        layout.append("second", [3])
        return TrainedParameters(layout) { $0.name == "first" ? [0, 2] : nil }
    }()

    /// A micro-batch's gradients of the five trained elements; the frozen one has a gradient that must not count.
    private static func gradients(_ values: [Float]) -> Arena {
        let arena = Arena(count: 6)
        for (place, value) in zip([0, 2, 3, 4, 5], values) { arena.elements[place] = value }
        arena.elements[1] = 77
        return arena
    }

    private static func meter(
        every: Int, sums: RankSums, averages: TaskAverages?, threads count: Int
    ) -> InterferenceMeter {
        let threads = WorkerThreads(count: count)
        return InterferenceMeter(
            every: every, tasks: names, shares: [0.5, 0.3, 0.2], sums: sums, averages: averages,
            products: GradientProducts(parameters: 5, most: 4, threads: threads, count: count), threads: threads,
            count: count)
    }

    private static func rankSums() -> RankSums {
        RankSums(StepSums(parameters: 5, tasks: 3), GradientBuckets(whole: 5))
    }

    private func expect(_ found: [Double?], _ expected: [Double?], _ comment: Comment) {
        #expect(found.count == expected.count, comment)
        for (x, y) in zip(found, expected) {
            // Gradients per token are rounded to single precision, 6e-8 of each.
            #expect(x == nil && y == nil || ((x ?? .nan) - (y ?? .nan)).magnitude < 3e-7, "\(comment): \(found)")
        }
    }

    @Test(arguments: [1, 3])
    func `a step with several tasks compares the sums of their micro-batches`(threads: Int) throws {
        let sums = TaskSums(tasks: 3, trained: Self.trained)
        for part in 0..<2 { sums.clear(part: part, of: 2) }
        // (3, 4), (0, -5, 12) and (8, 6) of 2, 1 and 4 tokens: (1.5, 2), (0, -5, 12) and (2, 1.5) for each token.
        for (task, values) in [
            (0, [1, 4, 0, 0, 0]), (1, [0, -5, 0, 0, 12]), (0, [2, 0, 0, 0, 0]), (2, [9, 6, 0, 1, 0]),
            (2, [-1, 0, 0, -1, 0]),
        ] as [(Int, [Float])] {
            sums.add(Self.gradients(values), task: task, limit: FixedPoint.limit(parts: 5), part: 0, of: 1)
        }
        let meter = Self.meter(every: 2, sums: Self.rankSums(), averages: nil, threads: threads)
        #expect(meter.isDue(4) && !meter.isDue(5) && !meter.keepsAverages)
        let record = meter.measure(sums, step: 4, tokens: [2, 1, 4])
        #expect(record.step == 4 && record.source == .step && record.tasks == Self.names && record.current == nil)
        expect(record.norms, [2.5, 13, 2.5], "norms")
        expect(record.cosines[0], [1, -10 / 32.5, 6 / 6.25], "cosines of a")
        expect(record.cosines[1], [-10 / 32.5, 1, -7.5 / 32.5], "cosines of b")
        expect(record.cosines[2], [6 / 6.25, -7.5 / 32.5, 1], "cosines of c")
        expect([record.conflictRate], [2.0 / 3], "conflicts")
        expect(record.weights, [2.0 / 7, 1.0 / 7, 4.0 / 7], "weights")
        // The mean of all tokens is (11, 5, 12) / 7; the mean of the lengths is (5 + 13 + 10) / 7.
        expect([record.effectiveStep], [(290.0 as Double).squareRoot() / 28], "effective step")
        expect(record.effectiveSteps, [26.5 / 43.75, 119.0 / 1183, 29.5 / 43.75], "effective steps")
    }

    @Test(arguments: [1, 3])
    func `steps of one task each compare averages that begin with the first gradient`(threads: Int) throws {
        let (sums, averages) = (Self.rankSums(), TaskAverages(tasks: 3, parameters: 5))
        let meter = Self.meter(every: 3, sums: sums, averages: averages, threads: threads)
        var record: InterferenceRecord?
        // (3, 4), (0, -5, 12) and (-3, 4) for each token.
        for (step, task, values, tokens) in [
            (1, 0, [6, 8, 0, 0, 0], 2), (2, 1, [0, -5, 0, 0, 12], 1), (3, 0, [-12, 16, 0, 0, 0], 4),
        ] as [(Int, Int, [Float], Double)] {
            sums.clear(part: 0, of: 1)
            sums.begin(microBatches: 1)
            let gradients = Arena(count: 5)
            for (place, value) in values.enumerated() { gradients.elements[place] = value }
            #expect(sums.add(gradients, limit: FixedPoint.limit(parts: 1), part: 0, of: 1))
            record = meter.add(step: step, task: task, divisor: tokens)
            #expect((record == nil) == (step < 3))
        }
        let measured = try #require(record)
        // The average of a is 0.9 (3, 4) + 0.1 (-3, 4) = (2.4, 4).
        let length = (2.4 * 2.4 + 16).squareRoot()
        #expect(measured.step == 3 && measured.source == .averages)
        expect(measured.norms, [length, 13, nil], "norms")
        expect(measured.cosines[0], [1, -20 / (13 * length), nil], "cosines of a")
        expect(measured.cosines[2], [nil, nil, nil], "cosines of c")
        expect([measured.conflictRate], [1], "conflicts")
        expect(measured.weights, [0.625, 0.375, 0], "weights")
        // The gradient of the step beside the averages of the steps before: (3, 4) and (0, -5, 12).
        let current = try #require(measured.current)
        #expect(current.task == "a")
        expect([current.norm], [5], "norm of the step")
        expect(current.cosines, [7.0 / 25, -20.0 / 65, nil], "cosines of the step")
        #expect(averages.counts == [2, 1, 0])
    }
}
