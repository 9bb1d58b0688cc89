import Backbone
import Configuration
import Failures
import Kernels

/// What computes the products with frozen weights (`parallel.gemm`); part of what the bits depend on.
public enum ProductBackend: String, Sendable, CaseIterable {
    /// OpenBLAS on the mapped file: no copy of the weights, but for products of 8 bits, which are this program's own.
    case openblas
    /// oneDNN on weights that were packed once for the ranks of a node; products of 8 bits are its too where the processor
    /// has VNNI.
    case onednn

    /// Those of this build.
    public static var available: [ProductBackend] { OneDNN.isInBuild ? [.openblas, .onednn] : [.openblas] }

    /// The one that a configuration asks for; `badConfiguration` when it is not in this build.
    public init(_ configuration: RunConfiguration) throws(Failure) {
        try self.init(
            name: configuration.gemm, asking: "parallel.gemm",
            quantises: configuration.products == .float32 ? nil : "model.products",
            keeping: configuration.weightFormat)
    }

    /// What `auto` is: oneDNN where the build has it and the processor AVX-512, or VNNI where 8 bits are asked for; but
    /// OpenBLAS for bfloat16 weights, of which oneDNN would need copies.
    package static func preferred(quantises: Bool = false, keeping format: WeightFormat = .float32) -> ProductBackend {
        let isFaster = OneDNN.isFast || quantises && OneDNN.hasVNNI
        return isFaster && format == .float32 ? .onednn : .openblas
    }

    /// The one of a name, or `auto`, for weights kept in a format; `asking` is the option or key that names it, `quantises`
    /// the one that asks for 8 bits, if any.
    public init(
        name: String, asking: String, quantises: String? = nil, keeping format: WeightFormat = .float32
    ) throws(Failure) {
        if let quantises, format != .float32 {
            throw Failure(
                .badConfiguration,
                "\(quantises) needs float32 weights, but they are kept in \(format.rawValue); leave out one")
        }
        self = Self(rawValue: name) ?? Self.preferred(quantises: quantises != nil, keeping: format)
        guard Self.available.contains(self) else {
            throw Failure(
                .badConfiguration,
                "\(asking) is onednn, but this program was built without oneDNN; use auto or openblas, or install "
                    + "libdnnl-dev and build with the default traits")
        }
        guard self == .openblas || format == .float32 else {
            throw Failure(
                .badConfiguration,
                "\(asking) onednn needs float32 weights; use openblas for weights kept in \(format.rawValue)")
        }
    }

    /// Version and kernels, as the bits depend on them.
    public var version: String {
        switch self {
        case .openblas: "OpenBLAS \(BLAS.coreType)"
        case .onednn: OneDNN.name ?? "none"
        }
    }

    /// Whether its products of 8 bits are this program's own, and not oneDNN's; the bits are the same.
    var hasOwnIntegers: Bool { self == .openblas || !OneDNN.hasVNNI }

    /// `version`, and whose products of 8 bits a model with these products has.
    func description(_ products: ModelProducts) -> String {
        guard products != .float32, hasOwnIntegers else { return version }
        return version + ", 8 bits by this program " + (IntegerPanels.hasVectors ? "(AVX2)" : "(no vectors)")
    }

    /// What to know of 8 bits where they gain nothing; nil where they do.
    package var integerWarning: String? {
        guard hasOwnIntegers,
            !Self.ownIntegersGain(hasVectors: IntegerPanels.hasVectors, isFast: OneDNN.isFast)
        else { return nil }
        return
            "products of 8 bits may be slower than float32 here: fast are oneDNN's with VNNI, and this program's with AVX2 "
            + "where float32 has no AVX-512"
    }

    /// Whether this program's products of 8 bits are faster than the ones in float32: they have AVX2 at best, those AVX-512
    /// where `isFast`.
    static func ownIntegersGain(hasVectors: Bool, isFast: Bool) -> Bool { hasVectors && !isFast }

    /// The packs of a run: those of its products, the backward's only where it trains.
    static func packs(_ configuration: RunConfiguration, training: Bool) -> FrozenMatrix.Packs {
        let quantises = configuration.products.quantises
        let backward: ProductKind = quantises.backward ? .int8 : .float32
        return FrozenMatrix.Packs(
            forward: quantises.forward ? .int8 : .float32, backward: training ? backward : nil)
    }

    /// How a model's weights are packed for it; nil when they all stay where they are. `memory` holds them.
    public func packing(
        _ packs: FrozenMatrix.Packs,
        memory: @escaping (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) throws(Failure) -> WeightPacking? {
        do {
            let library = self == .onednn ? try PackingLibrary.oneDNN() : PackingLibrary.integers
            return packs.made(by: library).isEmpty ? nil : WeightPacking(library, packs, memory: memory)
        } catch {
            throw Failure(.badConfiguration, "\(error)")
        }
    }
}

extension RunConfiguration {
    /// Bytes that a node's packed weights take with `products`: the projections for the forward and for the backward, and
    /// with oneDNN the output matrix for both.
    package func packedBytes(_ products: ProductBackend, _ shape: any BackboneShape) -> Int {
        let float = products == .onednn ? 4 : 0
        let quantises = self.products.quantises
        let bytes = (quantises.forward ? 1 : float) + (quantises.backward ? 1 : float)
        let projections = shape.projectionGroups().reduce(0) { $0 + $1.inputWidth * $1.outputWidth }
        return bytes * projections + 2 * float * shape.vocabularySize * shape.modelWidth
    }

    /// How the frozen weights are kept.
    package var weightFormat: WeightFormat {
        switch storage {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}
