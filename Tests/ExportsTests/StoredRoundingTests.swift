import Randomness
import Tensors
import Testing

@testable import Exports

@Suite struct StoredRoundingTests {
    private static func bits(_ value: Double, _ type: ElementType) -> UInt32 {
        var bytes: [UInt8] = []
        StoredRounding.append(StoredRounding.nearest(value, type), type, to: &bytes)
        return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Numbers of all sizes, ties, and neighbours of ties.
    private static let values: [Double] = {
        var stream = RandomStream(seed: 3, purpose: .adapterInitialisation, a: 9)
        var values: [Double] = [
            0, -0.0, 1, 65504, 65519.999, 65520, -65520, 1e-8, 0x1p-24, 0x1p-25, 0x1.8p-24, 0x1p-133, 0x1p-134,
        ]
        for exponent in stride(from: -160, through: 130, by: 1) {
            let value = stream.normal() * Double(sign: .plus, exponent: exponent, significand: 1)
            values += [value, -value]
        }
        for base in [1.0, 1.0078125, 300, 0x1p-14, 0x1.4p-16] {
            for half in [0x1p-8, 0x1p-11, 0x1p-24] {
                let tie = base + base.binade * half
                values += [tie, tie.nextUp, tie.nextDown, -tie]
            }
        }
        return values
    }()

    @Test func `F32 and F16 are rounded like the language's own types`() {
        for value in Self.values {
            #expect(Self.bits(value, .float32) == Float(value).bitPattern, "\(value)")
            #expect(Self.bits(value, .float16) == UInt32(Float16(value).bitPattern), "\(value)")
            #expect(StoredRounding.nearest(value, .float16) == Double(Float16(value)), "\(value)")
        }
    }

    @Test func `BF16 is the nearest of its neighbours, the even one of two`() {
        for value in Self.values where value.magnitude < 0x1p127 {
            let found = UInt16(Self.bits(value, .bfloat16))
            func number(_ bits: UInt16) -> Double { Double(floatFromBFloat16(bits)) }
            let error = (number(found) - value).magnitude
            for neighbour in [found &- 1, found &+ 1] where (neighbour ^ found) & 0x8000 == 0 {
                let other = (number(neighbour) - value).magnitude
                #expect(error < other || (error == other && found & 1 == 0), "\(value)")
            }
            #expect(value == 0 || (number(found) == 0) || (number(found) < 0) == (value < 0))
        }
    }

    @Test func `beyond the largest number it is infinite`() {
        #expect(StoredRounding.nearest(65520, .float16) == .infinity)
        #expect(StoredRounding.nearest(-1e39, .float32) == -.infinity)
        #expect(StoredRounding.nearest(0x1.FFp127, .bfloat16) == .infinity)
        #expect(StoredRounding.nearest(0x1.FEp127, .bfloat16) == 0x1.FEp127)
    }
}
