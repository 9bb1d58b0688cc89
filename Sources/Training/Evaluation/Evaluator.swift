package import Failures
package import MPI
package import Runs
import Tasks
import Text

/// Generates and scores answers.
package struct Evaluator {
    let vocabulary: any Tokenizer
    package var generator: AnswerGenerator

    init(vocabulary: any Tokenizer, batchSize: Int) {
        self.vocabulary = vocabulary
        generator = AnswerGenerator(batchSize: batchSize)
    }

    /// Evaluates tasks on this rank's workers, or on those of all ranks of `communicator`, and is then collective. Returns the
    /// scores on rank 0 (or to the only caller), and an empty list on other ranks.
    package func evaluate(
        _ tasks: [EvaluationTask], team: EngineTeam, over communicator: Communicator?
    ) throws(Failure) -> [EvaluatedTask] {
        let answers = try generator.generate(tasks, team: team, over: communicator)
        guard (communicator?.rank ?? 0) == 0 else { return [] }
        var results: [EvaluatedTask] = []
        for (position, task) in tasks.enumerated() {
            let texts = try answers[position].map { tokens throws(Failure) in try vocabulary.answer(tokens) }
            let answered = AnsweredSplit(
                answers: texts, gold: task.gold, space: task.space, metrics: task.metrics, positive: task.positive,
                groups: task.groups)
            let scores = try TaskScores(
                answered, answers: texts, space: task.space, positive: task.positive, labelNames: task.labelNames,
                unfinished: answers[position].count { $0.last != vocabulary.endID })
            results.append(
                EvaluatedTask(
                    name: task.name, scores: scores, isOutsideAverage: task.isOutsideAverage, answers: answered))
        }
        return results
    }
}
