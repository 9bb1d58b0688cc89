import Configuration
import Failures
import Kernels
import T5

/// What computes the products with frozen weights (`parallel.gemm`); part of what the bits depend on.
public enum ProductBackend: String, Sendable, CaseIterable {
    /// OpenBLAS on the mapped file: no copy of the weights.
    case openblas
    /// oneDNN on weights that were packed once for the ranks of a node.
    case onednn

    /// Those of this build on this processor.
    public static var available: [ProductBackend] {
        PackingLibrary.supports(.float32) ? [.openblas, .onednn] : [.openblas]
    }

    /// The one that a configuration asks for; `auto` is oneDNN where the build and the processor have it.
    /// `badConfiguration` when they have not.
    public init(_ configuration: RunConfiguration) throws(Failure) {
        try self.init(name: configuration.gemm, asking: "parallel.gemm")
        if configuration.quantises != (false, false) { try requireInt8(asking: "model.precision") }
    }

    /// `badConfiguration` when this cannot multiply in 8 bits; `asking` is the option or key that wants it.
    public func requireInt8(asking: String) throws(Failure) {
        guard PackingLibrary.isBuiltIn else {
            throw Failure(
                .badConfiguration,
                "\(asking) needs oneDNN, but this program was built without it; use float32, or install libdnnl-dev and "
                    + "build with the default traits")
        }
        guard PackingLibrary.supports(.int8) else {
            throw Failure(
                .badConfiguration,
                "\(asking) needs a processor with AVX-512 and VNNI, and this one has not; use float32, or nodes with Intel "
                    + "Cascade Lake, AMD Zen 4 or later")
        }
        guard self == .onednn else {
            throw Failure(.badConfiguration, "\(asking) needs oneDNN, but openblas was asked for; use float32 or onednn")
        }
    }

    /// The one of a name, or `auto`; `asking` is the option or key that names it.
    public init(name: String, asking: String) throws(Failure) {
        self = Self(rawValue: name) ?? Self.available[Self.available.count - 1]
        guard Self.available.contains(self) else {
            throw Failure(
                .badConfiguration,
                PackingLibrary.isBuiltIn
                    ? "\(asking) is onednn, which needs a processor with AVX-512, and this one has not; use auto or "
                        + "openblas, which is faster here"
                    : "\(asking) is onednn, but this program was built without oneDNN; use auto or openblas, or install "
                        + "libdnnl-dev and build with the default traits")
        }
    }

    /// Version and kernels, as the bits depend on them.
    public var version: String {
        switch self {
        case .openblas: "OpenBLAS \(BLAS.coreType)"
        case .onednn: PackingLibrary.name ?? "none"
        }
    }

    /// The packs of a run: those of its precision, the backward's only where it trains.
    static func packs(_ configuration: RunConfiguration, training: Bool) -> FrozenMatrix.Packs {
        let quantises = configuration.quantises
        let backward: ProductPrecision = quantises.backward ? .int8 : .float32
        return FrozenMatrix.Packs(
            forward: quantises.forward ? .int8 : .float32, backward: training ? backward : nil)
    }

    /// How a model's weights are packed for it; nil when they stay where they are. `memory` holds them.
    public func packing(
        _ packs: FrozenMatrix.Packs,
        memory: @escaping (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) throws(Failure) -> WeightPacking? {
        guard self == .onednn else { return nil }
        do {
            return WeightPacking(try PackingLibrary(), packs, memory: memory)
        } catch {
            throw Failure(.badConfiguration, "\(error)")
        }
    }
}
