/// The number format in which a product with frozen weights computes.
public enum ProductKind: String, Sendable {
    /// Both operands in float32.
    case float32
    /// Both as sums of two bfloat16, of which three of four products are added up in float32. The error of the result is about
    /// five millionths of the largest one.
    case bf16x3
    /// Both rounded to bfloat16, sums in float32. The relative error of the result is about two thousandths.
    case bfloat16
    /// Both rounded to 8 bits; each row of the first and each column of the second has its own factor. Sums are exact. The
    /// relative error of the result is about a hundredth.
    case int8
}
