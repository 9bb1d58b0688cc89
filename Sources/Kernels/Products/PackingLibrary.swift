/// The kernels for packed weights that a run may choose from: each kind of product uses the first kernels that compute it.
/// Products of any other kind use the unpacked weights. All threads share it.
public final class PackingLibrary: Sendable {
    private let kernels: [any PackedKernels]
    /// The kind of products that stands where float32 is asked for beside products of fewer bits, as for the output matrix.
    public let accurate: ProductKind

    init(_ kernels: [any PackedKernels], accurate: ProductKind = .float32) {
        self.kernels = kernels
        self.accurate = accurate
    }

    /// This program's own kernels, the preferred ones first.
    private static let own: [any PackedKernels] = [
        IntegerPanels()
    ]

    /// Only this program's own kernels, which pack 8 bits; OpenBLAS computes all other products with the unpacked weights.
    public static let integers = PackingLibrary(own)

    /// oneDNN's kernels, and this program's own for kinds that oneDNN cannot compute on this processor; throws in a build
    /// without oneDNN.
    public static func oneDNN() throws(PackingError) -> PackingLibrary { PackingLibrary(try OneDNN.kernels() + own) }

    /// Products in the layout of matrix tiles.
    public static let tiles = PackingLibrary(TileProducts.kernels(), accurate: .bf16x3)

    /// Whether it packs weights for products of a kind.
    public func packs(_ kind: ProductKind) -> Bool { kernels.contains { $0.kind == kind } }

    /// The kernels for products of a kind for which `packs` is true.
    func kernels(for kind: ProductKind) -> any PackedKernels {
        guard let found = kernels.first(where: { $0.kind == kind }) else {
            preconditionFailure("nothing packs for products in \(kind.rawValue) here")
        }
        return found
    }
}
