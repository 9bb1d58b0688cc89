import Adapters
import Failures
import Tasks
import Tensors
import Testing

@testable import Training

@Suite struct AnswerGeneratorTests {
    private func tasks(_ tiny: TinyTraining) -> [EvaluationTask] {
        ["a", "b", "c"].enumerated().map { number, name in
            EvaluationTask(
                name: name, task: number, space: .classes(["0", "1"]), metrics: [.accuracy], budget: 3,
                gold: Array(repeating: .label(0), count: 5),
                source: { [examples = tiny.examples] in examples.source(task: number, example: $0) })
        }
    }

    @Test func `answers are the same on any number of threads`() throws {
        let tiny = TinyTraining()
        let answers = try (1...3).map { threads in
            try AnswerGenerator(batchSize: 2).generate(tasks(tiny), team: tiny.team(threads: threads).team)
        }
        #expect(answers[0] == answers[1] && answers[0] == answers[2])
        #expect(answers[0].map(\.count) == [5, 5, 5])
        #expect(answers[0].joined().allSatisfy { (1...3).contains($0.count) })
    }

    @Test(arguments: 1...3, [Float.infinity, -.infinity, .nan])
    func `logits that are not finite are refused by task and example, not answered`(
        threads: Int, value: Float
    ) throws {
        let tiny = TinyTraining(.loraPerTask)
        let team = tiny.team(threads: threads).team
        let entry = try #require(tiny.state.parameters.entries.first { $0.name.hasSuffix("lora_B.weight") })
        // The part of the tensor for task 1.
        let place = entry.offset + entry.count / TinyTraining.tasks
        let sane = tiny.state.weights.base[place]
        tiny.state.weights.base[place] = value
        var tasks = tasks(tiny)
        tasks[1].exampleName = { "line \($0 + 1)" }
        let generator = AnswerGenerator(batchSize: 1)
        let failure = #expect(throws: Failure.self) { try generator.generate(tasks, team: team) }
        #expect(failure?.code == .notFinite)
        let message = try #require(failure?.message)
        #expect(message.contains(#/^b line [1-5]: a logit of the answer is not finite/#), "\(message)")
        _ = try generator.generate([tasks[0], tasks[2]], team: team)
        tiny.state.weights.base[place] = sane
        _ = try generator.generate(tasks, team: team)
    }
}
