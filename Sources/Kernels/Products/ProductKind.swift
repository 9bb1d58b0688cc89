/// The number format in which a product with frozen weights computes.
public enum ProductKind: String, Sendable {
    /// Both operands in float32.
    case float32
    /// Both rounded to 8 bits; each row of the first and each column of the second has its own factor. Sums are exact. The
    /// relative error of the result is about a hundredth.
    case int8
}
