package import Backbone
package import Failures
import Heartbeat
package import MPI
import Synchronization

/// Generates the answers of whole splits.
///
/// Evaluation batches are a pure function of the data and the batch size: the examples sorted by length and cut into batches.
/// The result of a batch does not depend on the rank that computes it, so one rank or all give the same numbers.
package struct AnswerGenerator {
    /// One batch of one task.
    private struct Batch: Sendable {
        let task: Int
        let examples: [Int]
    }

    let batchSize: Int

    /// Creates a generator with batches of `batchSize` examples.
    package init(batchSize: Int) {
        self.batchSize = batchSize
    }
    /// Called before each batch; once it returns true, the rest is not computed and the results are meaningless.
    package var isGivenUp: @Sendable () -> Bool = { false }

    /// The generated tokens of every example of every task, in the examples' order. Throws `notFinite` on the rank that found a
    /// logit that is not finite; the others wait for the job to end.
    package func generate(
        _ tasks: [EvaluationTask], team: EngineTeam, over communicator: Communicator? = nil
    ) throws(Failure) -> [[[Int32]]] {
        let batches = self.batches(tasks, sizes: tasks.map { _ in batchSize })
        let (rank, size) = (communicator?.rank ?? 0, communicator?.size ?? 1)
        let own = batches.indices.filter { $0 % size == rank }
        let answers = try answer(own.map { batches[$0] }, tasks, targets: tasks.map { _ in [] }, team)
        var byBatch: [Int: [[Int32]]] = [:]
        for (index, answers) in zip(own, answers) { byBatch[index] = answers?.map(\.tokens) }
        if let communicator, size > 1 {
            // The ranks sleep while they wait, since their parts take different times.
            try communicator.idleBarrier()
            byBatch = try collect(byBatch, communicator)
            guard rank == 0 else { return [] }
        }
        return Self.inOrder(tasks, batches, none: []) { byBatch[$0] ?? [] }
    }

    /// The answers of this rank's engines, with the log-probabilities of `targets`, those of each task: the token lists of its
    /// possible answers, or none. Throws `notFinite`.
    package func answers(
        _ tasks: [EvaluationTask], targets: [[[Int32]]], team: EngineTeam
    ) throws(Failure) -> [[DecodedAnswer]] {
        let batches = self.batches(tasks, sizes: targets.map { Self.batch(batchSize, targets: $0.count) })
        let answers = try answer(batches, tasks, targets: targets, team)
        return Self.inOrder(tasks, batches, none: DecodedAnswer()) { answers[$0] ?? [] }
    }

    /// Examples of a batch for each of which the log-probabilities of `targets` answers are computed: each of them may need a row
    /// of logits, so that batches of a task with many targets are smaller.
    static func batch(_ size: Int, targets: Int) -> Int { max(1, min(size, 4 * size / (1 + targets))) }

    /// The answers to each batch; nil for a batch that was given up.
    private func answer(
        _ batches: [Batch], _ tasks: [EvaluationTask], targets: [[[Int32]]], _ team: EngineTeam
    ) throws(Failure) -> [[DecodedAnswer]?] {
        let next = Atomic<Int>(0)
        let results = Mutex<[Int: Result<[DecodedAnswer], Failure>]>([:])
        let hasFailed = Atomic<Bool>(false)
        team.inParallel { engine in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < batches.count, !isGivenUp(), !hasFailed.load(ordering: .relaxed) else { return }
                let result = Result { () throws(Failure) in
                    try Self.answer(batches[index], tasks, targets, engine)
                }
                results.withLock { $0[index] = result }
                if case .failure = result { hasFailed.store(true, ordering: .relaxed) }
            }
        }
        var answers = [[DecodedAnswer]?](repeating: nil, count: batches.count)
        for (index, result) in results.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            answers[index] = try result.get()
        }
        return answers
    }

    /// What `results` gives for the examples of each batch, in the order of tasks and examples.
    private static func inOrder<Value>(
        _ tasks: [EvaluationTask], _ batches: [Batch], none: Value, _ results: (Int) -> [Value]
    ) -> [[Value]] {
        var all = tasks.map { [Value](repeating: none, count: $0.gold.count) }
        for (index, batch) in batches.enumerated() {
            for (example, result) in zip(batch.examples, results(index)) { all[batch.task][example] = result }
        }
        return all
    }

    private func batches(_ tasks: [EvaluationTask], sizes: [Int]) -> [Batch] {
        var batches: [Batch] = []
        for (position, task) in tasks.enumerated() {
            let order = task.gold.indices.sorted { unsafe (task.source($0).count, $1) > (task.source($1).count, $0) }
            for start in stride(from: 0, to: order.count, by: sizes[position]) {
                batches.append(
                    Batch(task: position, examples: Array(order[start..<min(start + sizes[position], order.count)])))
            }
        }
        return batches
    }

    private static func answer(
        _ batch: Batch, _ tasks: [EvaluationTask], _ targets: [[[Int32]]], _ engine: any BackboneEngine
    ) throws(Failure) -> [DecodedAnswer] {
        defer { Heartbeat.beat() }
        let task = tasks[batch.task]
        var ragged = RaggedBatch()
        for (slot, example) in batch.examples.enumerated() {
            unsafe ragged.append(source: task.source(example), target: [], task: task.task, slot: UInt32(slot))
        }
        do throws(NonFiniteLogits) {
            return try engine.answers(
                ragged, maxNewTokens: Array(repeating: task.budget, count: ragged.count),
                targets: Array(repeating: targets[batch.task], count: ragged.count))
        } catch {
            throw Failure(
                .notFinite,
                "\(task.name) \(task.exampleName(batch.examples[error.example])): a logit of the answer is not finite, so "
                    + "there is no answer; the weights are too large: take an earlier checkpoint (--checkpoint), or train with a "
                    + "lower lr.peak")
        }
    }

    /// Collects the answers of all ranks on rank 0, as words `batch, count, length, tokens..., length, tokens...`.
    private func collect(
        _ own: [Int: [[Int32]]], _ communicator: Communicator
    ) throws(Failure) -> [Int: [[Int32]]] {
        var words: [Int32] = []
        for index in own.keys.sorted() {
            let answers = own[index] ?? []
            words += [Int32(index), Int32(answers.count)]
            for answer in answers {
                words.append(Int32(answer.count))
                words += answer
            }
        }
        let parts = try unsafe communicator.gather(words.withUnsafeBytes { unsafe Array($0) }, to: 0)
        var all: [Int: [[Int32]]] = [:]
        for part in parts {
            let words = unsafe part.withUnsafeBytes { unsafe Array($0.bindMemory(to: Int32.self)) }
            var i = 0
            while i < words.count {
                let (index, count) = (Int(words[i]), Int(words[i + 1]))
                i += 2
                var answers: [[Int32]] = []
                for _ in 0..<count {
                    let length = Int(words[i])
                    answers.append(Array(words[i + 1..<i + 1 + length]))
                    i += 1 + length
                }
                all[index] = answers
            }
        }
        return all
    }
}
