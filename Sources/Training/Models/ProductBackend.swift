public import Backbone
public import Configuration
public import Failures
public import Kernels

/// The library that computes the products with frozen weights (`parallel.gemm`); the bits of a run depend on it.
public enum ProductBackend: String, Sendable, CaseIterable {
    /// OpenBLAS on the mapped file, without a copy of the weights; products in 8 bits use this program's own kernels.
    case openblas
    /// oneDNN on weights that were packed once for the ranks of a node; it also computes products in 8 bits if the processor
    /// has VNNI.
    case onednn

    /// The backends of this build.
    public static var available: [ProductBackend] { OneDNN.isInBuild ? [.openblas, .onednn] : [.openblas] }

    /// The backend that a configuration asks for; throws `badConfiguration` when it is not in this build. A method that trains
    /// every weight has nothing to pack, so packs would only take time and memory.
    public init(_ configuration: RunConfiguration) throws(Failure) {
        try self.init(
            name: configuration.trainsWholeModel ? ProductBackend.openblas.rawValue : configuration.gemm,
            asking: "parallel.gemm",
            quantises: configuration.products == .float32 ? nil : "model.products",
            keeping: configuration.weightFormat)
    }

    /// The meaning of `auto`: oneDNN if it is in the build and the processor has AVX-512 (for 8 bits: VNNI). For bfloat16
    /// weights it is OpenBLAS, because oneDNN would need copies of them.
    package static func preferred(quantises: Bool = false, keeping format: WeightFormat = .float32) -> ProductBackend {
        let isFaster = OneDNN.isFast || quantises && OneDNN.hasVNNI
        return isFaster && format == .float32 ? .onednn : .openblas
    }

    /// The backend with a name, or `auto`, for weights stored in a format. `asking` is the option or key with the name;
    /// `quantises` is the one that asks for 8 bits, if any.
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

    /// Version and kernels; the bits depend on them.
    public var version: String {
        switch self {
        case .openblas: "OpenBLAS \(BLAS.coreType)"
        case .onednn: OneDNN.name ?? "none"
        }
    }

    /// Whether its products in 8 bits use this program's own kernels instead of oneDNN's; the bits are the same.
    var hasOwnIntegers: Bool { self == .openblas || !OneDNN.hasVNNI }

    /// `version`, and whose kernels compute the products in 8 bits of a model with these products.
    func description(_ products: ModelProducts) -> String {
        guard products != .float32, hasOwnIntegers else { return version }
        return version + ", 8 bits by this program " + (IntegerPanels.hasVectors ? "(AVX2)" : "(no vectors)")
    }

    /// A warning when 8 bits gain nothing; nil when they do.
    package var integerWarning: String? {
        guard hasOwnIntegers,
            !Self.ownIntegersGain(hasVectors: IntegerPanels.hasVectors, isFast: OneDNN.isFast)
        else { return nil }
        return
            "products of 8 bits may be slower than float32 here: they are fast with oneDNN and VNNI, and with this program's "
            + "own kernels and AVX2 when float32 has no AVX-512"
    }

    /// Whether this program's products in 8 bits are faster than those in float32: the former use AVX2 at best, the latter
    /// AVX-512 when `isFast` is set.
    static func ownIntegersGain(hasVectors: Bool, isFast: Bool) -> Bool { hasVectors && !isFast }

    /// The packs for a run's products; the backward is packed only for training, and weights that change are never packed.
    static func packs(_ configuration: RunConfiguration, training: Bool) -> FrozenMatrix.Packs {
        guard !configuration.trainsWholeModel else { return FrozenMatrix.Packs(forward: nil, backward: nil) }
        let quantises = configuration.products.quantises
        let backward: ProductKind = quantises.backward ? .int8 : .float32
        return FrozenMatrix.Packs(
            forward: quantises.forward ? .int8 : .float32, backward: training ? backward : nil)
    }

    /// How a model's weights are packed for this backend; nil when none are packed. `memory` provides the memory for them.
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
    /// Bytes of a node's packed weights with `products`: the projections for the forward and for the backward, and with oneDNN
    /// the output matrix for both.
    package func packedBytes(_ products: ProductBackend, _ shape: any BackboneShape) -> Int {
        guard !trainsWholeModel else { return 0 }
        let float = products == .onednn ? 4 : 0
        let quantises = self.products.quantises
        let bytes = (quantises.forward ? 1 : float) + (quantises.backward ? 1 : float)
        let projections = shape.projectionGroups().reduce(0) { $0 + $1.inputWidth * $1.outputWidth }
        return bytes * projections + 2 * float * shape.vocabularySize * shape.modelWidth
    }

    /// The format in which the frozen weights are stored.
    package var weightFormat: WeightFormat {
        switch storage {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}
