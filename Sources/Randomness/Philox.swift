/// The counter-based generator Philox4x32-10: `block = f(key, counter)` with no state.
///
/// Any thread on any rank can draw any number at any time, so a run does not depend on who computes what. Source: Salmon et
/// al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct Philox: Sendable {
    @usableFromInline let key0: UInt32
    @usableFromInline let key1: UInt32

    /// Creates the generator of a 64-bit key.
    @inlinable
    public init(key: UInt64) {
        key0 = UInt32(truncatingIfNeeded: key)
        key1 = UInt32(truncatingIfNeeded: key >> 32)
    }

    /// The 128 random bits of one counter.
    @inlinable
    public func block(_ counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var (c0, c1, c2, c3) = (counter.x, counter.y, counter.z, counter.w)
        var (k0, k1) = (key0, key1)
        for _ in 0..<10 {
            let p0 = c0.multipliedFullWidth(by: 0xD251_1F53)
            let p1 = c2.multipliedFullWidth(by: 0xCD9E_8D57)
            (c0, c1, c2, c3) = (p1.high ^ c1 ^ k0, p1.low, p0.high ^ c3 ^ k1, p0.low)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return SIMD4(c0, c1, c2, c3)
    }

    /// Eight blocks at once: those of the counters `(first + 0...7, c1, c2, c3)`.
    ///
    /// Element `l` of the four results holds the words of the block for the counter `first + l`.
    @inlinable @inline(__always)
    public func eightBlocks(
        first: UInt32, _ c1: UInt32, _ c2: UInt32, _ c3: UInt32
    ) -> (SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>) {
        // Each word is in the low half of 64 bits, as the product of 32-bit factors requires. The next product and the end of
        // the function discard the high halves.
        let low = FourWords(repeating: 0xFFFF_FFFF)
        let (m0, m1) = (FourWords(repeating: 0xD251_1F53), FourWords(repeating: 0xCD9E_8D57))
        let (step0, step1) = (FourWords(repeating: 0x9E37_79B9), FourWords(repeating: 0xBB67_AE85))
        var (k0, k1) = (FourWords(repeating: UInt64(key0)), FourWords(repeating: UInt64(key1)))
        let counter = FourWords(repeating: UInt64(first))
        var (a0, b0) = (counter &+ FourWords(0, 1, 2, 3), counter &+ FourWords(4, 5, 6, 7))
        var (a1, a2, a3) = (
            FourWords(repeating: UInt64(c1)), FourWords(repeating: UInt64(c2)), FourWords(repeating: UInt64(c3))
        )
        var (b1, b2, b3) = (a1, a2, a3)
        for _ in 0..<10 {
            let (p0, p1) = ((a0 & low) &* m0, (a2 & low) &* m1)
            let (q0, q1) = ((b0 & low) &* m0, (b2 & low) &* m1)
            (a0, a1, a2, a3) = ((p1 &>> 32) ^ (a1 ^ k0), p1, (p0 &>> 32) ^ (a3 ^ k1), p0)
            (b0, b1, b2, b3) = ((q1 &>> 32) ^ (b1 ^ k0), q1, (q0 &>> 32) ^ (b3 ^ k1), q0)
            k0 &+= step0
            k1 &+= step1
        }
        return (lowHalves(a0, b0), lowHalves(a1, b1), lowHalves(a2, b2), lowHalves(a3, b3))
    }
}

/// Four 32-bit words, each in the low half of an element.
@usableFromInline typealias FourWords = SIMD4<UInt64>

@inlinable @inline(__always)
func lowHalves(_ a: FourWords, _ b: FourWords) -> SIMD8<UInt32> {
    SIMD8(lowHalf: SIMD4(truncatingIfNeeded: a), highHalf: SIMD4(truncatingIfNeeded: b))
}
