import Failures
import Tensors

/// Numbers in float32.
enum Float32Elements: StoredElements {
    static let size = MemoryLayout<Float>.stride

    static func mapped(_ tensor: TensorDescription, of file: SafetensorsFile) -> UnsafeRawPointer? {
        unsafe UnsafeRawPointer(file.floats(of: tensor))
    }

    static func convert(
        _ tensor: TensorDescription, of file: SafetensorsFile, into target: UnsafeMutableRawPointer
    ) throws(Failure) {
        try unsafe file.convert(tensor, into: target.bindMemory(to: Float.self, capacity: tensor.count))
    }

    static func expand(_ source: UnsafeRawPointer, _ count: Int, into target: UnsafeMutablePointer<Float>) {
        unsafe target.update(from: source.assumingMemoryBound(to: Float.self), count: count)
    }

    static func add(_ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>) {
        unsafe addScaled(source.assumingMemoryBound(to: Float.self), 1, to: target, count)
    }
}
