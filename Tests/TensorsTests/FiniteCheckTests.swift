import Tensors
import Testing

@Suite struct FiniteCheckTests {
    /// Sizes around those of vectors, with the number at either end.
    @Test(arguments: [1, 3, 16, 33, 1000])
    func `one number that is not finite is found wherever it stands`(count: Int) {
        func check<Bits: FixedWidthInteger>(_ type: ElementType, largest: Bits, bad: [Bits]) {
            var values = (0..<count).map { $0 % 2 == 0 ? largest : largest | 1 << (Bits.bitWidth - 1) }
            #expect(values.withUnsafeBytes { areFinite($0, as: type) }, "\(type)")
            for place in Set([0, count / 2, count - 1]) {
                for bits in bad {
                    let kept = values[place]
                    values[place] = bits
                    #expect(values.withUnsafeBytes { !areFinite($0, as: type) }, "\(type) \(bits) at \(place)")
                    values[place] = kept
                }
            }
        }
        check(.float32, largest: 0x7F7F_FFFF as UInt32, bad: [0x7F80_0000, 0xFF80_0000, 0x7FC0_0001])
        check(.float16, largest: 0x7BFF as UInt16, bad: [0x7C00, 0xFC00, 0x7E01])
        check(.bfloat16, largest: 0x7F7F as UInt16, bad: [0x7F80, 0xFF80, 0x7FC1])
    }

    @Test func `no number at all is finite`() {
        #expect(areFinite(UnsafeRawBufferPointer(start: nil, count: 0), as: .float32))
    }
}
