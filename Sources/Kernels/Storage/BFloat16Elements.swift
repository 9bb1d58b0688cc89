import Failures
import Tensors

/// Numbers in bfloat16: each the upper half of a float32.
enum BFloat16Elements: StoredElements {
    static let size = MemoryLayout<UInt16>.stride

    static func mapped(_ tensor: TensorDescription, of file: SafetensorsFile) -> UnsafeRawPointer? {
        unsafe UnsafeRawPointer(file.bfloat16s(of: tensor))
    }

    static func convert(
        _ tensor: TensorDescription, of file: SafetensorsFile, into target: UnsafeMutableRawPointer
    ) throws(Failure) {
        try unsafe file.convert(tensor, into: target.bindMemory(to: UInt16.self, capacity: tensor.count))
    }

    static func expand(_ source: UnsafeRawPointer, _ count: Int, into target: UnsafeMutablePointer<Float>) {
        let numbers = unsafe source.assumingMemoryBound(to: UInt16.self)
        let whole = count / 16 * 16
        for i in stride(from: 0, to: whole, by: 16) {
            let halves = unsafe UnsafeRawPointer(numbers + i).loadUnaligned(as: SIMD16<UInt16>.self)
            let bits = SIMD16<UInt32>(truncatingIfNeeded: halves) &<< SIMD16<UInt32>(repeating: 16)
            unsafe target.store(unsafeBitCast(bits, to: SIMD16<Float>.self), i)
        }
        for i in whole..<count { unsafe target[i] = floatFromBFloat16(numbers[i]) }
    }

    static func add(_ source: UnsafeRawPointer, _ count: Int, to target: UnsafeMutablePointer<Float>) {
        let numbers = unsafe source.assumingMemoryBound(to: UInt16.self)
        for i in 0..<count { unsafe target[i] += floatFromBFloat16(numbers[i]) }
    }
}
