import Foundation

/// What a random stream is for; streams of different purposes never overlap.
public enum StreamPurpose: UInt32, Sendable {
    case taskDraw = 1
    case exampleOrder = 2
    case adapterInitialisation = 4
    case modelInitialisation = 5
    case split = 6
    case embeddedSuite = 7
    case evaluationSubset = 8
    case benchmark = 9
    case resampling = 10
    case conflictOrder = 11
    case test = 100
}

/// A sequence of random numbers that is a pure function of (seed, purpose, a, b).
///
/// Counter layout: word 0 counts the blocks of four words, word 1 is the purpose, words 2 and 3 are a and b. So a stream
/// ends after 2^32 - 1 blocks.
public struct RandomStream: RandomNumberGenerator, Sendable {
    private let philox: Philox
    private let purpose: UInt32
    private let a: UInt32
    private let b: UInt32
    private var counter: UInt32 = 0
    private var buffer: SIMD4<UInt32> = .zero
    private var used = 4
    private var spareNormal: Double?

    /// Creates the stream; `a` and `b` distinguish streams of one purpose (a task and a pass, a tensor's index).
    public init(seed: UInt64, purpose: StreamPurpose, a: UInt32 = 0, b: UInt32 = 0) {
        philox = Philox(key: seed)
        self.purpose = purpose.rawValue
        self.a = a
        self.b = b
    }

    /// The next 32 bits.
    public mutating func nextWord() -> UInt32 {
        if used == 4 {
            buffer = philox.block(SIMD4(counter, purpose, a, b))
            precondition(counter < .max, "random stream exhausted")
            counter += 1
            used = 0
        }
        defer { used += 1 }
        return buffer[used]
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return low | UInt64(nextWord()) << 32
    }

    /// Uniform in [0, 1) with 53 random bits.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in 0..<bound without bias (Lemire's method with rejection).
    public mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0 && bound <= Int(UInt32.max), "bound out of range")
        let range = UInt32(bound)
        var product = nextWord().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold {
                product = nextWord().multipliedFullWidth(by: range)
            }
        }
        return Int(product.high)
    }

    /// Standard normal (Box-Muller, both values used).
    public mutating func normal() -> Double {
        if let spare = spareNormal {
            spareNormal = nil
            return spare
        }
        let radius = (-2 * log(1 - uniform())).squareRoot()
        let angle = 2 * Double.pi * uniform()
        spareNormal = radius * sin(angle)
        return radius * cos(angle)
    }

    /// The numbers 0..<count in random order (Fisher-Yates).
    public mutating func permutation(_ count: Int) -> [UInt32] {
        var order: [UInt32] = []
        permute(&order, count: count)
        return order
    }

    /// Overwrites `order` with a permutation of 0 ..< count; reuses its memory.
    public mutating func permute(_ order: inout [UInt32], count: Int) {
        order.removeAll(keepingCapacity: true)
        order.append(contentsOf: 0..<UInt32(count))
        guard count > 1 else { return }
        for i in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(i, below(i + 1))
        }
    }
}
