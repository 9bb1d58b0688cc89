import Failures
import Tensors

/// The numbers of a frozen weight in some format: their size, where they come from, and how they become floats. Every function
/// handles a row or more per call.
protocol StoredElements {
    /// Bytes of a number.
    static var size: Int { get }

    /// A tensor's numbers in its mapped file when the file has them in this format and aligned, otherwise nil.
    static func mapped(_ tensor: TensorDescription, of file: SafetensorsFile) -> UnsafeRawPointer?

    /// Overwrites `target` with a tensor's numbers in this format; throws `badData` unless its type is F32, F16 or BF16.
    static func convert(
        _ tensor: TensorDescription, of file: SafetensorsFile, into target: UnsafeMutableRawPointer
    ) throws(Failure)

    /// Overwrites `target: [count]` with these numbers as floats.
    static func expand(_ source: UnsafeRawPointer, _ count: Int, into target: UnsafeMutablePointer<Float>)

    /// Adds these numbers to `target: [count]`.
    static func add(_ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>)
}
