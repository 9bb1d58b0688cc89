package import Configuration
import Kernels

extension ProductBackend {
    /// A warning when products gain nothing here, or are not computed as their backend's name says; nil otherwise.
    package func warning(_ products: ModelProducts) -> String? {
        if self == .tiles { return TileProducts.isNative ? nil : Self.twinWarning }
        return products.rounds8Bits ? integerWarning : nil
    }

    /// Why products do not run on the processor's tiles; nil where they could.
    package static var withoutTiles: String? {
        if TileProducts.isNative { return nil }
        return TileProducts.isInProcessor
            ? "the system does not let this process use the processor's matrix tiles (AMX)"
            : "this processor has no matrix tiles (AMX)"
    }

    private static var twinWarning: String {
        "parallel.gemm tiles runs on its portable twin, since \(withoutTiles ?? "it was chosen"): it is slower, and its bits "
            + "differ from those of tiles except with 8 bits"
    }

    /// What `fast` means here; nil for other products.
    package func notice(_ products: ModelProducts) -> String? {
        guard products == .fast else { return nil }
        let reason = self == .tiles ? nil : Self.withoutTiles
        return "model.products fast is \(meaning(of: products).rawValue) by \(version) here"
            + (reason.map { ", since \($0)" } ?? "")
    }

    /// Sentences about what computes the products of a configuration where an adapter is used that was trained elsewhere.
    package func noticesOfUse(_ configuration: RunConfiguration) -> [String] {
        let asked = configuration.gemm
        let isOther = !configuration.trainsWholeModel && asked != "auto" && asked != rawValue
        let replaced = "note: parallel.gemm \(asked) cannot compute the products here; \(version) does"
        return (isOther ? [replaced] : []) + [notice(configuration.products).map { "note: \($0)" }].compactMap(\.self)
            + [warning(configuration.products).map { "warning: \($0)" }].compactMap(\.self)
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
}
