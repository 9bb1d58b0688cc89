import Configuration
import Failures
import Foundation
import Runs
import Studies
import Testing

/// The run that the studies of these tests change: GLUE's cola and rte, 100 steps.
let base = """
    model: t5
    data: {glue: /glue}
    tasks: [cola, rte]
    sampler: {temperature: 1}
    train: {steps: 100}
    lr: {warmup: 10}
    eval: {every: 20}

    """

/// cola has 300 training examples and rte 100, so at temperature 1 their shares are 0.75 and 0.25.
private let known = [
    TaskSize(name: "cola", training: 300, hasTest: true, metrics: ["matthews"]),
    TaskSize(name: "rte", training: 100, hasTest: true, metrics: ["accuracy", "f1"]),
]

/// Reads `text` as `/studies/study.yaml`, which is `study.yaml` in messages.
func study(
    _ text: String, set overrides: [String] = [], withoutTest: Set<String> = [], run: String = base,
    directory: String = "/out/runs", cache: String? = "/cache"
) throws(Failure) -> Study {
    let file = try StudyFile(yaml: text, name: "study.yaml", directory: "/studies")
    let source = Study.BaseText(yaml: run, name: "run.yaml", directory: "/runs", isOwn: true)
    return try Study(file, base: source, overrides: overrides, directory: directory, cache: cache) { configuration in
        known.filter { size in configuration.tasks.contains { $0.name == size.name } }.map { size in
            TaskSize(
                name: size.name, training: size.training, hasTest: !withoutTest.contains(size.name),
                metrics: size.metrics)
        }
    }
}

/// The message of the refusal of `text`.
func refusal(
    _ text: String, set overrides: [String] = [], code: ExitCode = .badConfiguration,
    location: SourceLocation = #_sourceLocation
) throws -> String {
    let failure = try #require(throws: Failure.self, sourceLocation: location) {
        _ = try study(text, set: overrides)
    }
    #expect(failure.code == code, sourceLocation: location)
    return failure.message
}

/// The record of a task with these figures.
func task(_ figures: [String: Double]) -> EvaluationRecord.Task {
    let text =
        "{\"figures\": {\(figures.map { "\"\($0)\": \($1)" }.joined(separator: ", "))}, \"examples\": 4, "
        + "\"invalidAnswers\": 0, \"undefined\": []}"
    do {
        return try JSONDecoder().decode(EvaluationRecord.Task.self, from: Data(text.utf8))
    } catch {
        fatalError("\(error)")
    }
}
