import Failures

extension Trainer {
    /// The generated tokens of every example of every task, as an evaluation on all ranks generates them; collective. They
    /// come back on rank 0, elsewhere an empty list.
    public func answers(_ tasks: [EvaluationTask], batchSize: Int) throws(Failure) -> [[[Int32]]] {
        try AnswerGenerator(batchSize: batchSize).generate(tasks, team: team.team, over: communicator)
    }
}
