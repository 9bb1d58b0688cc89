import Backbone
import Configuration
import Failures
import Synchronization
import Tasks
import Tensors
import Text
import Training

/// Answers lines on the workers of one rank.
struct LineAnswers {
    /// The answers of consecutive lines.
    struct Part: Equatable {
        /// A line of output for each line.
        var bytes: [UInt8] = []
        /// How many of them could not be answered.
        var bad = 0

        /// The part as bytes, for another rank.
        var encoded: [UInt8] {
            var result: [UInt8] = []
            result.append(Int64(bad))
            return result + bytes
        }

        init() {}

        /// Reads `encoded`.
        init(encoded: [UInt8]) {
            bad = Int(encoded.prefix(8).reversed().reduce(0) { $0 << 8 | Int64($1) })
            bytes = Array(encoded.dropFirst(8))
        }
    }

    /// Consecutive lines, read and tokenised.
    struct ReadLines {
        /// The number of the first line.
        var first: Int
        var lines: [Result<PredictionReader.Line, PredictionReader.Refusal>]

        /// The first line that cannot be answered, and why; nil for none.
        var firstBad: (number: Int, reason: String)? {
            for (position, line) in lines.enumerated() {
                if case .failure(let refusal) = line { return (first + position, refusal.reason) }
            }
            return nil
        }
    }

    /// The largest number of labels or grades of a task whose log-probabilities are computed: each needs a row of logits.
    static let mostScored = 256

    private let opened: OpenedRun
    private let reader: PredictionReader
    /// Whether each answer names its task.
    private let namesTasks: Bool
    /// For each task the names and token ids of all its answers; empty without scores, or for a task that has too many.
    private let scored: [(names: [String], targets: [[Int32]])]
    private let givesScores: Bool
    private let team: EngineTeam
    private let inputName: String

    /// Prepares for lines of the task with number `task`; if it is nil, each line names its own. Throws `usage` when that task has
    /// too many answers for scores.
    init(_ opened: OpenedRun, task: Int?, scores: Bool, inputName: String) throws(Failure) {
        self.opened = opened
        self.inputName = inputName
        namesTasks = task == nil
        givesScores = scores
        let base = opened.base
        reader = PredictionReader(
            base.definitions, task: task, vocabulary: base.vocabulary, maxSource: base.configuration.maxSource)
        scored = try base.definitions.map { definition throws(Failure) in
            guard scores, definition.answers.targetCount <= Self.mostScored else { return ([], []) }
            let names =
                definition.labelNames.isEmpty
                ? (0..<definition.answers.targetCount).map(definition.answers.targetText) : definition.labelNames
            return (names, try TargetTable(definition, base.vocabulary).all)
        }
        team = opened.team()
        if scores, let task, scored[task].targets.isEmpty {
            throw Failure(.usage, Self.refusal(base.definitions[task]) + "; leave out --scores")
        }
    }

    private static func refusal(_ definition: TaskDefinition) -> String {
        if definition.answers == .texts {
            return "task \"\(definition.name)\" has free text, and --scores is for tasks with labels or grades"
        }
        return
            "task \"\(definition.name)\" has \(definition.answers.targetCount) possible answers, and --scores is for at most "
            + "\(mostScored)"
    }

    /// Answers lines of a group, as `read` returns them, or says why not, in their order. A line's answer and scores have the same
    /// bits whichever other lines there are. Throws `badData` when the model has changed, `notFinite` when a logit is not finite.
    func answer(_ lines: ReadLines) throws(Failure) -> Part {
        let (read, firstNumber) = (lines.lines, lines.first)
        var places = opened.base.definitions.map { _ in [Int]() }
        for (position, line) in read.enumerated() {
            if case .success(let line) = line { places[line.task].append(position) }
        }
        let tasks = places.indices.filter { !places[$0].isEmpty }
        let sources = SourceList()
        let evaluations = tasks.map { task in
            let first = sources.count
            for position in places[task] {
                if case .success(let line) = read[position] { sources.append(line.source.ids) }
            }
            let definition = opened.base.definitions[task]
            var evaluation = unsafe EvaluationTask(
                name: definition.name, task: task, space: definition.answers, metrics: [],
                budget: opened.base.budgets[task], gold: Array(repeating: .label(0), count: places[task].count),
                source: { unsafe sources[first + $0] })
            evaluation.exampleName = { [own = places[task], inputName] in
                "\(inputName):\(firstNumber + own[$0])"
            }
            return evaluation
        }
        let generator = AnswerGenerator(batchSize: opened.base.configuration.evaluationBatch)
        let decoded = try generator.answers(evaluations, targets: tasks.map { scored[$0].targets }, team: team)
        try MappedInputs(opened.base.model).check(
            "the answers to these lines cannot be trusted and are not given; restore it and start again")
        var answers = [DecodedAnswer?](repeating: nil, count: read.count)
        for (task, own) in zip(tasks, decoded) {
            for (position, answer) in zip(places[task], own) { answers[position] = answer }
        }
        var part = Part()
        for (position, line) in read.enumerated() {
            let number = firstNumber + position
            if case .success(let line) = line, let answer = answers[position] {
                part.bytes += try text(line, answer, number: number)
            } else if case .failure(let refusal) = line {
                part.bad += 1
                part.bytes +=
                    AnswerLine { object in
                        object.add("error", refusal.reason)
                        object.add("id", raw: refusal.id)
                        object.add("line", number)
                    }.bytes
            }
        }
        return part
    }

    /// The refusal of a line that cannot be answered, where that ends the job.
    func failure(_ bad: (number: Int, reason: String)) -> Failure {
        Failure(
            .badData,
            "\(inputName):\(bad.number): \(bad.reason); without --on-bad-line fail such a line is answered with its error"
        )
    }

    /// Reads and tokenises lines of a group on all workers.
    func read(_ lines: Range<Int>, of group: LineGroup) -> ReadLines {
        let part = 32
        let next = Atomic<Int>(0)
        let results = Mutex<[Int: [Result<PredictionReader.Line, PredictionReader.Refusal>]]>([:])
        team.inParallel { _ in
            while true {
                let start = lines.lowerBound + next.wrappingAdd(part, ordering: .relaxed).oldValue
                guard start < lines.upperBound else { return }
                let own = (start..<min(start + part, lines.upperBound)).map { line(group[$0]) }
                results.withLock { $0[start] = own }
            }
        }
        let read = results.withLock { $0 }.sorted { $0.key < $1.key }.flatMap(\.value)
        return ReadLines(first: group.first + lines.lowerBound, lines: read)
    }

    private func line(_ line: LineGroup.Line) -> Result<PredictionReader.Line, PredictionReader.Refusal> {
        let refusal: PredictionReader.Refusal
        switch line {
        case .text(let text):
            switch reader.line(text) {
            case .success(let line) where givesScores && scored[line.task].targets.isEmpty:
                refusal = .init(id: line.id, reason: Self.refusal(opened.base.definitions[line.task]))
            case let result: return result
            }
        case .notUTF8: refusal = .init(id: nil, reason: "the line is not UTF-8; convert it")
        case .tooLong:
            refusal = .init(
                id: nil,
                reason: "the line is longer than \(InputLines.longest >> 20) MiB; give one input a line, as text")
        }
        return .failure(refusal)
    }

    private func text(
        _ line: PredictionReader.Line, _ decoded: DecodedAnswer, number: Int
    ) throws(Failure) -> [UInt8] {
        let (answer, source) = (try reader.answer(decoded.tokens, task: line.task), line.source)
        return AnswerLine { object in
            object.add("answer", answer.text)
            object.add("id", raw: line.id)
            object.add("label", ifAny: answer.labelName)
            object.add("line", number)
            if !source.lostFields.isEmpty { object.add("lost", source.lostFields) }
            object.add("score", ifAny: answer.score)
            if givesScores {
                let scores = zip(scored[line.task].names, decoded.normalisedLogProbabilities)
                object.add("scores", scores.map { (name: $0, value: $1) })
            }
            object.add("task", ifAny: namesTasks ? opened.base.taskNames[line.task] : nil)
            object.add("truncated", ifTrue: source.isTruncated)
            object.add("unfinished", ifTrue: decoded.tokens.last != opened.base.vocabulary.endID)
            let unknown = source.unknownShare
            object.add("unknown", ifAny: unknown > 0 ? max((unknown * 1000).rounded(), 1) / 1000 : nil)
        }.bytes
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
