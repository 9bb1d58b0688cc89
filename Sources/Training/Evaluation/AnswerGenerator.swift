import Backbone
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
        let batches = self.batches(tasks)
        let (rank, size) = (communicator?.rank ?? 0, communicator?.size ?? 1)
        let mine = batches.indices.filter { $0 % size == rank }
        let next = Atomic<Int>(0)
        let results = Mutex<[Int: Result<[[Int32]], Failure>]>([:])
        let hasFailed = Atomic<Bool>(false)
        team.inParallel { engine in
            while true {
                let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard position < mine.count, !isGivenUp(), !hasFailed.load(ordering: .relaxed) else { return }
                let result = Result { () throws(Failure) in
                    try Self.answer(batches[mine[position]], tasks, engine)
                }
                results.withLock { $0[mine[position]] = result }
                if case .failure = result { hasFailed.store(true, ordering: .relaxed) }
            }
        }
        var byBatch: [Int: [[Int32]]] = [:]
        for (index, result) in results.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            byBatch[index] = try result.get()
        }
        if let communicator, size > 1 {
            // The ranks sleep while they wait, since their parts take different times.
            try communicator.idleBarrier()
            byBatch = try collect(byBatch, communicator)
            guard rank == 0 else { return [] }
        }
        var answers = tasks.map { [[Int32]](repeating: [], count: $0.gold.count) }
        for (index, batch) in batches.enumerated() {
            for (example, tokens) in zip(batch.examples, byBatch[index] ?? []) {
                answers[batch.task][example] = tokens
            }
        }
        return answers
    }

    private func batches(_ tasks: [EvaluationTask]) -> [Batch] {
        var batches: [Batch] = []
        for (position, task) in tasks.enumerated() {
            let order = task.gold.indices.sorted { unsafe (task.source($0).count, $1) > (task.source($1).count, $0) }
            for start in stride(from: 0, to: order.count, by: batchSize) {
                batches.append(
                    Batch(task: position, examples: Array(order[start..<min(start + batchSize, order.count)])))
            }
        }
        return batches
    }

    private static func answer(
        _ batch: Batch, _ tasks: [EvaluationTask], _ engine: any BackboneEngine
    ) throws(Failure) -> [[Int32]] {
        defer { Heartbeat.beat() }
        let task = tasks[batch.task]
        var ragged = RaggedBatch()
        for (slot, example) in batch.examples.enumerated() {
            unsafe ragged.append(source: task.source(example), target: [], task: task.task, slot: UInt32(slot))
        }
        do throws(NonFiniteLogits) {
            return try engine.generate(ragged, maxNewTokens: Array(repeating: task.budget, count: ragged.count))
        } catch {
            throw Failure(
                .notFinite,
                "\(task.name) \(task.exampleName(batch.examples[error.example])): a logit of the answer is not finite, so "
                    + "there is no answer; the weights are too large: take an earlier checkpoint, or train with a lower "
                    + "lr.peak")
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
