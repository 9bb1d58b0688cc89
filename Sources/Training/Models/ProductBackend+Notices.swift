package import Configuration
import Kernels

extension ProductBackend {
    /// A warning when products gain nothing here, or are not computed as their backend's name says; nil otherwise.
    package func warning(_ products: ModelProducts) -> String? {
        if self == .tiles { return TileProducts.isNative ? nil : Self.twinWarning }
        return products.rounds8Bits ? integerWarning : nil
    }

    private static var twinWarning: String {
        let reason =
            TileProducts.isInProcessor
            ? "the system does not let this process use the processor's matrix tiles (AMX)"
            : "this processor has no matrix tiles (AMX)"
        return
            "parallel.gemm tiles runs on its portable twin, since \(reason): it is slower, and its bits differ from those of "
            + "tiles except with 8 bits"
    }

    /// What `fast` means here; nil for other products.
    package func notice(_ products: ModelProducts) -> String? {
        guard products == .fast else { return nil }
        let reason = TileProducts.isNative || self == .tiles ? "" : ", since this processor has no matrix tiles (AMX)"
        return
            "model.products fast is \(meaning(of: products).rawValue) by \(version) here\(self == .tiles ? "" : reason)"
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
