/// How a model's matrices are kept in memory.
public enum WeightFormat: String, Sendable {
    /// As float32: what any file holds, exactly.
    case float32
    /// The embedding, the projections and the output matrix as bfloat16, in half the memory: what a BF16 file holds, else
    /// rounded to the nearest. Norms and position biases stay float32.
    case bfloat16
}
