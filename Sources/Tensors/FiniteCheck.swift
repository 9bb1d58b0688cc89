/// Whether bytes hold numbers of a floating-point type that are all finite; true for other types.
///
/// It only looks for the largest exponent, which the compiler turns into vector instructions.
package func areFinite(_ bytes: UnsafeRawBufferPointer, as type: ElementType) -> Bool {
    switch type {
    case .float32: unsafe largest(bytes, 0x7F80_0000 as UInt32) < 0x7F80_0000
    case .bfloat16: unsafe largest(bytes, 0x7F80 as UInt16) < 0x7F80
    case .float16: unsafe largest(bytes, 0x7C00 as UInt16) < 0x7C00
    default: true
    }
}

@inline(__always)
private func largest<Bits: FixedWidthInteger & BitwiseCopyable>(_ bytes: UnsafeRawBufferPointer, _ mask: Bits) -> Bits {
    guard let base = bytes.baseAddress else { return 0 }
    var largest: Bits = 0
    for i in 0..<bytes.count / MemoryLayout<Bits>.size {
        largest = unsafe max(
            largest, base.loadUnaligned(fromByteOffset: i * MemoryLayout<Bits>.size, as: Bits.self) & mask)
    }
    return largest
}
