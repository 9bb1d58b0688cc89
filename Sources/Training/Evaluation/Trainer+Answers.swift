public import Failures

extension Trainer {
    /// The generated tokens of every example of every task, generated like an evaluation on all ranks; collective. Returns them
    /// on rank 0, and an empty list on other ranks.
    public func answers(_ tasks: [EvaluationTask], batchSize: Int) throws(Failure) -> [[[Int32]]] {
        try AnswerGenerator(batchSize: batchSize).generate(tasks, team: team.team, over: communicator)
    }
}
