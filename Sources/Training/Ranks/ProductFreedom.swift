import Configuration

/// What the user of a command can still choose of the products with frozen weights; it decides what helps when the ranks cannot
/// compute them so.
package enum ProductFreedom: Sendable {
    /// The whole configuration of a run.
    case configuration
    /// The library alone, with `--set parallel.gemm`, since the adapter was trained before.
    case library
    /// Nothing: the command takes everything from a run or an adapter.
    case nothing

    /// What helps where ranks would compute products of a kind differently, as a part of a sentence.
    func remedy(_ products: ModelProducts) -> String {
        let nodes = "use the same program on nodes of one kind"
        return switch self {
        case .configuration: "set parallel.gemm: openblas and model.products: float32, or \(nodes)"
        case .library: libraries(products).map { "give \($0), or \(nodes)" } ?? nodes
        case .nothing: nodes
        }
    }

    /// What helps where a node has no room for its packed weights: `always`, or products without packs.
    func remedy(_ always: String, withoutPacks products: ModelProducts, by backend: ProductBackend) -> String {
        let isFloat32 = backend.meaning(of: products) == .float32
        return switch self {
        case .configuration:
            "\(always), or set parallel.gemm: openblas\(isFloat32 ? "" : " and model.products: float32"), which packs none"
        case .library where isFloat32 || products == .fast:
            "\(always), or give --set parallel.gemm=openblas, which packs none"
        case .library, .nothing: always
        }
    }

    /// What helps where a node has no room for converted weights: `always`, or weights that are used as they are.
    func remedyWithoutConversion(_ always: String) -> String {
        self == .configuration
            ? "\(always), or use a model file in float32 with model.storage: float32, which needs none" : always
    }

    /// The libraries that compute products with the same bits on nodes of several kinds; nil where there are none.
    private func libraries(_ products: ModelProducts) -> String? {
        switch products {
        case .float32, .fast, .int8, .int8Forward, .int8Backward: "--set parallel.gemm=openblas"
        case .bfloat16:
            "--set parallel.gemm=tiles if no node has matrix tiles (AMX), or --set parallel.gemm=onednn if all have AVX512_BF16"
        // Tiles and their twin, which alone compute them, have different bits.
        case .bf16x3: nil
        }
    }
}
