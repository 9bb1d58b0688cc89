/// A frozen weight could not be packed.
public struct PackingError: Error, Sendable, CustomStringConvertible {
    /// A sentence for the user.
    public let description: String

    init(_ description: String) { self.description = description }

    /// oneDNN refused with a status of its own, `dnnl_status_t`; -1 without it in the build.
    init(oneDNN status: Int32, _ purpose: String) {
        description = "oneDNN cannot \(purpose) (its status \(status)); use parallel.gemm: openblas"
    }
}

/// In what a product with frozen weights computes.
public enum ProductPrecision: String, Sendable {
    /// Both operands in float32.
    case float32
    /// Both rounded to 8 bits, each row of the first and each column of the second with a factor of its own; sums are
    /// exact. The result is off by about a hundredth of its size.
    case int8
}

/// The second operand `[inner, columns]` of a product, in the layout that its kernels like best.
struct PackedWeight: @unchecked Sendable {
    /// Whose kernels compute with it.
    enum Layout {
        case oneDNN(ProductPrecision)
        /// 8 bits, by `IntegerProducts`.
        case panels
    }

    let inner: Int
    let columns: Int
    let layout: Layout
    /// Memory that somebody else owns, only read from the moment that it was filled: with 8 bits the factors of the columns
    /// first, then the packed numbers.
    let memory: UnsafeMutableRawPointer

    /// Whether a row of the product has the same bits whatever rows stand beside it. With 8 bits the sums are exact.
    var hasIndependentRows: Bool {
        switch layout {
        case .oneDNN(.float32): PackingLibrary.isFast
        case .oneDNN(.int8), .panels: true
        }
    }

    /// Bytes of the factors, of which there are a multiple of sixteen.
    static func factorBytes(columns: Int) -> Int { (columns * MemoryLayout<Float>.stride + 63) & ~63 }

    var factors: UnsafeMutablePointer<Float> { memory.assumingMemoryBound(to: Float.self) }
    var packed: UnsafeMutableRawPointer {
        switch layout {
        case .oneDNN(.float32): memory
        case .oneDNN(.int8), .panels: memory + Self.factorBytes(columns: columns)
        }
    }
}
