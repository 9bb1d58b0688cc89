import Configuration
public import Failures
public import MPI
import Runs
import Tasks
import Tensors
import Text
import Training

/// `predict`: answers each input line.
public enum PredictCommand {
    private struct Answer: Encodable {
        var line: Int
        var answer: String
        var label: String?
        var score: Double?
        /// Whether the text was cut to `data.maxSource` tokens.
        var truncated: Bool?
        /// The fields that the cut removes completely.
        var lost: [String]?
        /// The share of the text's characters that the vocabulary does not cover.
        var unknown: Double?
        /// Whether the answer was cut at the largest number of generated tokens.
        var unfinished: Bool?

        init(_ found: Prediction.Answer, isFinished: Bool, line: Int, of source: Prediction.Source) {
            (self.line, answer, label, score) = (line, found.text, found.labelName, found.score)
            if !isFinished { unfinished = true }
            if source.isTruncated { truncated = true }
            if !source.lostFields.isEmpty { lost = source.lostFields }
            if source.unknownShare > 0 { unknown = max((source.unknownShare * 1000).rounded(), 1) / 1000 }
        }
    }

    /// Reads lines, answers them in groups and prints a JSON line for each; for one process. It needs the run and its model but
    /// not the data. Unless changes are allowed, it refuses a configuration that gives other sources or answers for a line than
    /// the checkpoint's training.
    ///
    /// A line that starts with `{` is a JSON object with the task's fields. Any other line has the fields' texts in order,
    /// separated by tabs. After answering the lines before, it throws `badData` for a line that is neither.
    ///
    /// Lines from a pipe are answered as soon as they arrive, each one separately, so that an answer does not depend on how
    /// fast the lines came.
    public static func run(
        _ path: String, checkpoint: String, task name: String, input: String?, allowsChanges: Bool = false,
        world: Communicator
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
        _ = try opened.changes(
            to: opened.base.identity(data: "", sources: nil), for: .prediction(task: name), areAllowed: allowsChanges)
        if let checkpoint = opened.checkpoint, checkpoint.identity.vocabulary == nil {
            Terminal.complain(
                "note: \(checkpoint.path), of an earlier version, does not say which vocabulary it was trained with; check that "
                    + "\(opened.base.vocabulary.path) is still that one")
        }
        let lines = try InputLines(input)
        let batch = opened.base.configuration.evaluationBatch
        let generator = AnswerGenerator(batchSize: lines.isStream ? 1 : batch)
        let team = opened.team()
        while true {
            let part = try lines.next(atMost: lines.isStream ? batch : 64 * batch)
            guard !part.isEmpty else { return 0 }
            try answer(part, opened, task, generator, team, lines.name)
        }
    }

    private static func answer(
        _ lines: [InputLines.Line], _ opened: OpenedRun, _ task: Int, _ generator: AnswerGenerator, _ team: EngineTeam,
        _ place: String
    ) throws(Failure) {
        let (base, definition) = (opened.base, opened.base.definitions[task])
        let prediction = Prediction(
            definition, vocabulary: base.vocabulary, maxSource: base.configuration.maxSource)
        let sources = SourceList()
        var read: [Prediction.Source] = []
        var refusal: Failure?
        do throws(Failure) {
            for line in lines {
                guard let text = line.text else {
                    throw Failure(.badData, "\(place):\(line.number): the line is not UTF-8; convert it")
                }
                let source = try prediction.source(ofLine: text, number: line.number, of: place)
                sources.append(source.ids)
                read.append(source)
            }
        } catch {
            refusal = error
        }
        var evaluation = unsafe EvaluationTask(
            name: definition.name, task: task, space: definition.answers, metrics: [],
            budget: base.budgets[task],
            gold: Array(repeating: .label(0), count: sources.count), source: { unsafe sources[$0] })
        evaluation.exampleName = { "\(place):\(lines[$0].number)" }
        let tokens = try generator.generate([evaluation], team: team)[0]
        try MappedInputs(base.model).check(
            "the answers to these lines cannot be trusted and are not given; restore it and start again")
        var answers: [String] = []
        for (index, ids) in tokens.enumerated() {
            let answer = Answer(
                try prediction.answer(ids), isFinished: ids.last == base.vocabulary.endID, line: lines[index].number,
                of: read[index])
            answers.append(String(decoding: try StableJSON.line(answer, "an answer"), as: UTF8.self))
        }
        if !answers.isEmpty { try Terminal.print(answers.joined(separator: "\n")) }
        if let refusal { throw refusal }
    }
}

/// Source tokens of lines, at fixed addresses.
///
/// Safe except for the lists that it returns, which are valid as long as this object.
@safe private final class SourceList: @unchecked Sendable {
    private var buffers: [UnsafeMutableBufferPointer<Int32>] = unsafe []

    var count: Int { unsafe buffers.count }

    deinit {
        unsafe buffers.forEach { unsafe $0.deallocate() }
    }

    func append(_ ids: some Collection<Int32>) {
        let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: ids.count)
        _ = unsafe buffer.initialize(from: ids)
        unsafe buffers.append(buffer)
    }

    subscript(index: Int) -> UnsafeBufferPointer<Int32> { unsafe UnsafeBufferPointer(buffers[index]) }
}
