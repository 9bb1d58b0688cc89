import Backbone
public import Configuration
public import Failures
public import MPI
import Training

/// `generate`: greedy answers of an evaluation, compared with training steps on the same examples.
public struct GenerateBenchmark {
    /// The examples.
    public enum Examples: Sendable {
        /// Random tokens of the lengths in a file.
        case lengths(String)
        /// Texts of the tasks of a configuration.
        case texts(RunConfiguration)
    }

    /// The measurements; one JSON object.
    public struct Report: Encodable, Sendable {
        var benchmark = "generate"
        var model: String
        var method: String
        var gemm: String
        /// Number format of the forward and of input gradients.
        var precision: String
        var ranks: Int
        var threads: Int
        /// Number of examples that are answered.
        var examples: Int
        /// Number of examples that are answered together.
        var evaluationBatch: Int
        /// Mean number of source tokens per example.
        var sourceTokens: Double
        /// Mean number of tokens per answer, the end token included.
        var answerTokens: Double
        /// Time for answering all examples once, on all ranks.
        var evaluationSeconds: Spread
        var examplesPerSecond: Double
        /// Source and answer tokens per second.
        var tokensPerSecond: Double
        var batch: Int
        var micro: Int
        var dropout: Double
        /// Time of training steps on the same examples.
        var stepSeconds: Spread
        var trainingExamplesPerSecond: Double
        /// Examples per second of an evaluation, divided by that of the steps that follow it.
        var ratio: Spread
    }

    private let workload: Workload
    private let examples: Examples
    private let limit: Int
    private let evaluationBatch: Int
    private let repeats: Int
    private let world: Communicator

    /// Prepares the benchmark on all ranks: answers to at most `limit` examples (per task), `evaluationBatch` together, and as
    /// many steps as it takes to train on that many examples; both are repeated `repeats` times.
    public init(
        _ workload: Workload, _ examples: Examples, limit: Int, evaluationBatch: Int, repeats: Int, world: Communicator
    ) {
        self.workload = workload
        self.examples = examples
        self.limit = limit
        self.evaluationBatch = evaluationBatch
        self.repeats = repeats
        self.world = world
    }

    /// Measures; collective.
    public func callAsFunction() throws(Failure) -> Report {
        switch examples {
        case .lengths(let path):
            let lengths = try world.rankZeroFirst { () throws(Failure) in try TokenLengths(path: path) }.spread(
                over: limit)
            let model = try workload.openModel(longest: lengths.longest, world: world)
            return try measure(model, AnswerExamples(lengths, vocabulary: model.shape.vocabularySize))
        case .texts(let configuration):
            let examples = try AnswerExamples(configuration, limit: limit, threads: workload.threads, world: world)
            return try measure(workload.openModel(longest: examples.longest, world: world), examples)
        }
    }

    private func measure(_ model: any Backbone, _ examples: AnswerExamples) throws(Failure) -> Report {
        let measured = try workload.trainer(model, examples.training, tasks: examples.tasks, world: world)
        let steps = max(1, (examples.count + workload.batch / 2) / workload.batch)
        var (evaluations, stepSeconds, ratios, generated) = ([Double](), [Double](), [Double](), 0)
        try measured.warmUp()
        _ = try measured.trainer.answers(examples.evaluation, batchSize: evaluationBatch)
        for _ in 0..<repeats {
            try world.barrier()
            let begun = ContinuousClock.now
            let answers = try measured.trainer.answers(examples.evaluation, batchSize: evaluationBatch)
            let evaluation = begun.duration(to: .now).inSeconds
            generated += answers.reduce(0) { $1.reduce($0) { $0 + $1.count } }
            var training: [Double] = []
            for _ in 0..<steps { training.append(try measured.step().seconds) }
            ratios.append(
                Double(examples.count) / evaluation * training.reduce(0, +) / Double(steps * workload.batch))
            evaluations.append(evaluation)
            stepSeconds += training
        }
        let (evaluation, step) = (Spread(evaluations), Spread(stepSeconds))
        let answerTokens = Double(generated) / Double(repeats)
        return Report(
            model: workload.model, method: workload.method, gemm: workload.products.version,
            precision: workload.precision, ranks: world.size, threads: workload.threads, examples: examples.count,
            evaluationBatch: evaluationBatch,
            sourceTokens: Double(examples.sourceTokens) / Double(examples.count),
            answerTokens: answerTokens / Double(examples.count), evaluationSeconds: evaluation,
            examplesPerSecond: Double(examples.count) / evaluation.median,
            tokensPerSecond: (Double(examples.sourceTokens) + answerTokens) / evaluation.median,
            batch: workload.batch, micro: workload.micro, dropout: workload.dropout, stepSeconds: step,
            trainingExamplesPerSecond: Double(workload.batch) / step.median, ratio: Spread(ratios))
    }
}
