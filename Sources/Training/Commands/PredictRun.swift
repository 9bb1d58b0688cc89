import Failures
import Foundation
import MPI
import Tasks
import Tensors

/// `predict`: an answer for each input line.
public enum PredictRun {
    private struct Answer: Encodable {
        var line: Int
        var answer: String
        var label: String?
        var score: Double?
    }

    /// Reads lines, answers them in groups and prints a JSON line for each; for one process. Needs the run and its model,
    /// not the data.
    ///
    /// A line that starts with `{` is a JSON object with the task's fields, any other holds the fields' texts in their
    /// order, separated by tabs. Throws `badData` naming the line that is neither.
    public static func run(
        _ path: String, checkpoint: String, task name: String, input: String?, world: Communicator
    ) throws(Failure) -> Int32 {
        try world.rankZeroFirst { () throws(Failure) in
            guard world.size > 1 else { return }
            throw Failure(.usage, "predict runs as one process; start it without mpirun")
        }
        let opened = try OpenedRun(path, checkpoint: checkpoint, world: world)
        guard let task = opened.base.taskNames.firstIndex(of: name) else {
            throw Failure(
                .usage,
                "--task \(name) is none of the run's tasks (\(opened.base.taskNames.joined(separator: ", ")))")
        }
        let place = input ?? "standard input"
        let lines = try read(input)
        let team = opened.team()
        let group = 64 * opened.base.configuration.evaluationBatch
        for start in stride(from: 0, to: lines.count, by: group) {
            let part = Array(lines[start..<min(start + group, lines.count)])
            try answer(part, first: start, opened, task, team, place)
        }
        return 0
    }

    private static func answer(
        _ lines: [Substring], first: Int, _ opened: OpenedRun, _ task: Int, _ team: WorkerTeam, _ place: String
    ) throws(Failure) {
        let (base, definition) = (opened.base, opened.base.definitions[task])
        let prediction = Prediction(
            definition, vocabulary: base.vocabulary, maxSource: base.configuration.maxSource)
        let sources = SourceList()
        for (offset, line) in lines.enumerated() {
            sources.append(try prediction.source(ofLine: String(line), number: first + offset + 1, of: place).ids)
        }
        var evaluation = EvaluationTask(
            name: definition.name, task: task, space: definition.answers, metrics: [],
            budget: base.budgets[task],
            gold: Array(repeating: .label(0), count: lines.count), source: { sources[$0] })
        evaluation.exampleName = { "\(place):\(first + $0 + 1)" }
        let tokens = try base.evaluator.generate([evaluation], team: team)[0]
        var answers: [String] = []
        for (offset, ids) in tokens.enumerated() {
            let found = try prediction.answer(ids)
            let answer = Answer(
                line: first + offset + 1, answer: found.text, label: found.labelName, score: found.score)
            answers.append(String(decoding: try StableJSON.line(answer, "an answer"), as: UTF8.self))
        }
        try Terminal.print(answers.joined(separator: "\n"))
    }

    private static func read(_ input: String?) throws(Failure) -> [Substring] {
        let data: Data
        if let input {
            guard let content = FileManager.default.contents(atPath: input) else {
                throw Failure(.inputMissing, "--input \(input) cannot be read; check the path")
            }
            data = content
        } else {
            do {
                data = try FileHandle.standardInput.readToEnd() ?? Data()
            } catch {
                throw Failure(
                    .inputMissing,
                    "standard input cannot be read (\(RunDirectory.reason(error))); give a file with --input")
            }
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw Failure(.badData, "\(input ?? "standard input") is not UTF-8; convert it")
        }
        // A carriage return and a line feed are one character.
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}

/// Source tokens of lines, at addresses that stay.
private final class SourceList: @unchecked Sendable {
    private var buffers: [UnsafeMutableBufferPointer<Int32>] = []

    deinit {
        for buffer in buffers { buffer.deallocate() }
    }

    func append(_ ids: some Collection<Int32>) {
        let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: ids.count)
        _ = buffer.initialize(from: ids)
        buffers.append(buffer)
    }

    subscript(index: Int) -> UnsafeBufferPointer<Int32> { UnsafeBufferPointer(buffers[index]) }
}
