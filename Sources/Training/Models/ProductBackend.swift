import Backbone
public import Configuration
public import Failures
public import Kernels

/// What computes the products with frozen weights (`parallel.gemm`); the bits of a run depend on it.
public enum ProductBackend: String, Sendable, CaseIterable {
    /// OpenBLAS on the mapped file, without a copy of the weights; products in 8 bits use this program's own kernels.
    case openblas
    /// oneDNN on weights that were packed once for the ranks of a node; it also computes products in 8 bits if the processor
    /// has VNNI, and in bfloat16 if it has AVX512_BF16.
    case onednn
    /// This program's own kernels for matrix tiles (AMX), or their twin where the processor has none, on packed weights.
    case tiles

    /// The backends of this build.
    public static var available: [ProductBackend] { OneDNN.isInBuild ? allCases : [.openblas, .tiles] }

    /// The backend that a configuration asks for, or that it would have with another `parallel.gemm`; throws `badConfiguration`
    /// when it cannot compute what is asked for here.
    public init(_ configuration: RunConfiguration, gemm: String? = nil) throws(Failure) {
        do throws(Refusal) {
            self = try Self.chosen(by: configuration, gemm: gemm ?? configuration.gemm)
        } catch {
            throw Failure(.badConfiguration, error.sentence)
        }
    }

    /// The backend of a configuration with a value of `parallel.gemm`. A method that trains every weight has nothing to pack, so
    /// packs would only take time and memory.
    static func chosen(by configuration: RunConfiguration, gemm: String) throws(Refusal) -> ProductBackend {
        try ProductBackend(
            choosing: configuration.trainsWholeModel ? ProductBackend.openblas.rawValue : gemm,
            asking: "parallel.gemm", products: configuration.products, named: "model.products",
            keeping: configuration.weightFormat)
    }

    /// The meaning of `auto`: tiles where the processor has them, unless the products are in float32; else oneDNN if it is in
    /// the build and the processor has AVX-512 (for 8 bits: VNNI). For bfloat16 weights it is OpenBLAS, because the others would
    /// need copies of them.
    package static func preferred(
        _ products: ModelProducts = .float32, keeping format: WeightFormat = .float32
    ) -> ProductBackend {
        guard format == .float32 else { return .openblas }
        switch products {
        case .float32: return OneDNN.isFast ? .onednn : .openblas
        case .fast: return TileProducts.isNative ? .tiles : preferred(.float32)
        case .bf16x3: return .tiles
        case .bfloat16: return TileProducts.isNative || !OneDNN.hasBFloat16 ? .tiles : .onednn
        case .int8, .int8Forward, .int8Backward:
            if TileProducts.isNative { return .tiles }
            return OneDNN.isFast || OneDNN.hasVNNI ? .onednn : .openblas
        }
    }

    /// The backend with a name, or `auto`, for weights stored in a format. `asking` is the option or key with the name;
    /// `named` is the one that asks for the products.
    public init(
        name: String, asking: String, products: ModelProducts = .float32, named: String = "model.products",
        keeping format: WeightFormat = .float32
    ) throws(Failure) {
        do throws(Refusal) {
            try self.init(choosing: name, asking: asking, products: products, named: named, keeping: format)
        } catch {
            throw Failure(.badConfiguration, error.sentence)
        }
    }

    /// Why a backend cannot compute what is asked for here.
    struct Refusal: Error {
        /// The reason, as a part of a sentence.
        var reason: String
        /// What helps whoever may change everything that was asked for.
        var remedy: String

        var sentence: String { "\(reason); \(remedy)" }
    }

    private init(
        choosing name: String, asking: String, products: ModelProducts, named: String, keeping format: WeightFormat
    ) throws(Refusal) {
        if products != .float32, format != .float32 {
            throw Refusal(
                reason: "\(named) \(products.rawValue) needs float32 weights, but they are kept in \(format.rawValue)",
                remedy: "leave out one")
        }
        let chosen = Self(rawValue: name)
        self = chosen ?? Self.preferred(products, keeping: format)
        guard Self.available.contains(self) else {
            let others = products == .bfloat16 && !TileProducts.isNative ? "tiles" : "auto or openblas"
            throw Refusal(
                reason: "\(asking) is onednn, but this program was built without oneDNN",
                remedy: "use \(others), or install libdnnl-dev and build with the default traits")
        }
        guard self == .openblas || format == .float32 else {
            throw Refusal(
                reason: "\(asking) \(rawValue) needs float32 weights",
                remedy: "use openblas for weights kept in \(format.rawValue)")
        }
        let meaning = meaning(of: products)
        if self == .tiles, meaning == .float32 {
            throw Refusal(
                reason: "\(asking) tiles computes no products in float32",
                remedy: "use \(named) bf16x3, which is nearly as accurate, or \(asking) auto")
        }
        guard ![.bf16x3, .bfloat16].contains(meaning) || computes(meaning, isAutomatic: chosen == nil) else {
            let without =
                chosen != nil && !(self == .onednn && meaning == .bfloat16)
                ? "\(asking) \(rawValue) computes no products in \(meaning.rawValue)"
                : "\(named) \(meaning.rawValue) needs \(meaning == .bf16x3 ? "" : "AVX512_BF16 and oneDNN, or ")matrix tiles "
                    + "(AMX), which are not to be had here"
            throw Refusal(
                reason: without,
                remedy: "use \(asking) tiles, which computes them on every processor, slowly without AMX, or \(named) "
                    + "float32 or fast")
        }
    }

    /// Whether it computes products in bf16x3 or bfloat16; the twin of the tiles only if it was asked for.
    private func computes(_ products: ModelProducts, isAutomatic: Bool) -> Bool {
        switch self {
        case .openblas: false
        case .onednn: products == .bfloat16 && OneDNN.hasBFloat16
        case .tiles: TileProducts.isNative || !isAutomatic
        }
    }

    /// What products mean with this backend: `fast` is `bf16x3` or `float32`.
    package func meaning(of products: ModelProducts) -> ModelProducts {
        products == .fast ? (self == .tiles ? .bf16x3 : .float32) : products
    }

    /// Version and kernels; the bits depend on them.
    public var version: String {
        switch self {
        case .openblas: "OpenBLAS \(BLAS.coreType)"
        case .onednn: OneDNN.name ?? "none"
        case .tiles: TileProducts.name
        }
    }

    /// `version`, and what products mean if the machine decides it: all on which the bits of these products depend.
    package func version(for products: ModelProducts) -> String {
        products == .fast ? "\(version) in \(meaning(of: products).rawValue)" : version
    }

    /// Whether its products in 8 bits use this program's own kernels for AVX2; the bits are the same.
    var hasOwnIntegers: Bool { self == .openblas || self == .onednn && !OneDNN.hasVNNI }

    /// `version(for:)`, and whose kernels compute the products in 8 bits of a model with these products.
    func description(_ products: ModelProducts) -> String {
        guard products.rounds8Bits, hasOwnIntegers else { return version(for: products) }
        return version + ", 8 bits by this program " + (IntegerPanels.hasVectors ? "(AVX2)" : "(no vectors)")
    }
}
