/// The kernels for packed weights that a run may choose: for each kind of product the first one that computes it. Products of
/// another kind run on the weights where they are. Shared by all threads.
public final class PackingLibrary: Sendable {
    private let kernels: [any PackedKernels]

    init(_ kernels: [any PackedKernels]) { self.kernels = kernels }

    /// This program's own kernels, the preferred ones first.
    private static let own: [any PackedKernels] = [
        IntegerPanels()
    ]

    /// This program's own kernels alone, beside OpenBLAS on the weights where they are: they pack 8 bits.
    public static let integers = PackingLibrary(own)

    /// oneDNN's kernels, and this program's for what the processor gives oneDNN no instructions for; refused in a build
    /// without oneDNN.
    public static func oneDNN() throws(PackingError) -> PackingLibrary { PackingLibrary(try OneDNN.kernels() + own) }

    /// Whether it packs for products of a kind.
    public func packs(_ kind: ProductKind) -> Bool { kernels.contains { $0.kind == kind } }

    /// What packs for products of a kind, of which it has some.
    func kernels(for kind: ProductKind) -> any PackedKernels {
        guard let found = kernels.first(where: { $0.kind == kind }) else {
            preconditionFailure("nothing packs for products in \(kind.rawValue) here")
        }
        return found
    }
}
