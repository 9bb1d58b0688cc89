/// In what a product with frozen weights computes.
public enum ProductKind: String, Sendable {
    /// Both operands in float32.
    case float32
    /// Both rounded to 8 bits, each row of the first and each column of the second with a factor of its own; sums are
    /// exact. The result is off by about a hundredth of its size.
    case int8
}
