import Failures
import Tensors

/// The numbers of a frozen weight in some format: their size, where they come from, and how they become floats. Every function
/// is for a row or more at once.
protocol StoredElements {
    /// Bytes of a number.
    static var size: Int { get }

    /// A tensor's numbers in its mapped file, where the file has them in this format and aligned; else nil.
    static func mapped(_ tensor: TensorDescription, of file: SafetensorsFile) -> UnsafeRawPointer?

    /// Overwrites `target` with a tensor's numbers in this format; `badData` for one of another type than F32, F16 and BF16.
    static func convert(
        _ tensor: TensorDescription, of file: SafetensorsFile, into target: UnsafeMutableRawPointer
    ) throws(Failure)

    /// Overwrites `target: [count]` with floats of these values.
    static func expand(_ source: UnsafeRawPointer, _ count: Int, into target: UnsafeMutablePointer<Float>)

    /// Adds them to `target: [count]`.
    static func add(_ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>)
}
