/// The counter-based generator Philox4x32-10: `block = f(key, counter)` with no state.
///
/// Any number can be drawn at any time by any thread on any rank, which is what makes a run independent of who computes
/// what. Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
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
    /// Element `l` of the four results holds the words of the block of counter `first + l`.
    @inlinable
    public func eightBlocks(
        first: UInt32, _ c1: UInt32, _ c2: UInt32, _ c3: UInt32
    ) -> (SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>, SIMD8<UInt32>) {
        var x0 = SIMD8<UInt32>(repeating: first) &+ SIMD8<UInt32>(0, 1, 2, 3, 4, 5, 6, 7)
        var x1 = SIMD8<UInt32>(repeating: c1)
        var x2 = SIMD8<UInt32>(repeating: c2)
        var x3 = SIMD8<UInt32>(repeating: c3)
        let m0 = SIMD8<UInt64>(repeating: 0xD251_1F53)
        let m1 = SIMD8<UInt64>(repeating: 0xCD9E_8D57)
        var (k0, k1) = (key0, key1)
        for _ in 0..<10 {
            let p0 = SIMD8<UInt64>(truncatingIfNeeded: x0) &* m0
            let p1 = SIMD8<UInt64>(truncatingIfNeeded: x2) &* m1
            let n0 = SIMD8<UInt32>(truncatingIfNeeded: p1 &>> 32) ^ x1 ^ SIMD8(repeating: k0)
            let n2 = SIMD8<UInt32>(truncatingIfNeeded: p0 &>> 32) ^ x3 ^ SIMD8(repeating: k1)
            x1 = SIMD8<UInt32>(truncatingIfNeeded: p1)
            x3 = SIMD8<UInt32>(truncatingIfNeeded: p0)
            x0 = n0
            x2 = n2
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return (x0, x1, x2, x3)
    }
}
