/// The tokenised training examples of all tasks, as the training step sees them.
public protocol TrainingExamples: Sendable {
    /// Source tokens of an example, the end token included.
    func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32>
    /// Target tokens of an example, the end token included.
    func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32>
}
