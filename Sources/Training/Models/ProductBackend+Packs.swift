public import Backbone
public import Configuration
public import Failures
public import Kernels

extension ProductBackend {
    /// The packs for a run's products; the backward is packed only for training, and weights that change are never packed.
    func packs(_ configuration: RunConfiguration, training: Bool) -> FrozenMatrix.Packs {
        guard !configuration.trainsWholeModel else { return FrozenMatrix.Packs(forward: nil, backward: nil) }
        return packs(configuration.products, training: training)
    }

    /// The packs for products; the backward is packed only for training.
    public func packs(_ products: ModelProducts, training: Bool = true) -> FrozenMatrix.Packs {
        let (forward, backward) = kinds(products)
        return FrozenMatrix.Packs(forward: forward, backward: training ? backward : nil)
    }

    /// What the machine decides about the precision of products: the meaning of `fast`, and what stands for float32 beside products
    /// of fewer bits. Nil where it decides nothing, or float32.
    func precisionHere(_ products: ModelProducts) -> String? {
        let isDecidedHere = products == .fast || products.rounds8Bits || products == .bfloat16
        return isDecidedHere && accurate != .float32 ? accurate.rawValue : nil
    }

    /// The kind that stands for float32 beside products of fewer bits.
    private var accurate: ProductKind { self == .tiles ? .bf16x3 : .float32 }

    private func kinds(_ products: ModelProducts) -> (forward: ProductKind, backward: ProductKind) {
        switch products {
        case .float32, .fast: (accurate, accurate)
        case .bf16x3: (.bf16x3, .bf16x3)
        case .bfloat16: (.bfloat16, .bfloat16)
        case .int8: (.int8, .int8)
        case .int8Forward: (.int8, accurate)
        case .int8Backward: (accurate, .int8)
        }
    }

    /// How a model's weights are packed for this backend; nil when none are packed. `memory` provides the memory for them, which `threads` threads of
    /// each rank fill.
    public func packing(
        _ packs: FrozenMatrix.Packs, threads: Int = 1,
        memory: @escaping (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) throws(Failure) -> WeightPacking? {
        do {
            let library = try library()
            return packs.made(by: library).isEmpty
                ? nil : WeightPacking(library, packs, threads: threads, memory: memory)
        } catch {
            throw Failure(.badConfiguration, "\(error)")
        }
    }

    private func library() throws(PackingError) -> PackingLibrary {
        switch self {
        case .openblas: .integers
        case .onednn: try PackingLibrary.oneDNN()
        case .tiles: .tiles
        }
    }

    /// Bytes of a packed weight; none where products of a kind use the mapped file.
    private func packedBytes(_ kind: ProductKind) -> Int {
        switch kind {
        case .float32: self == .onednn ? 4 : 0
        case .bf16x3: 4
        case .bfloat16: 2
        case .int8: 1
        }
    }

    /// Bytes of a node's packed weights: the projections for the forward and for the backward, and with oneDNN and tiles the
    /// output matrix for both.
    func packedBytes(_ products: ModelProducts, _ shape: any BackboneShape) -> Int {
        let kinds = kinds(products)
        let projections = shape.projectionGroups().reduce(0) { $0 + $1.inputWidth * $1.outputWidth }
        return (packedBytes(kinds.forward) + packedBytes(kinds.backward)) * projections
            + 2 * packedBytes(accurate) * shape.vocabularySize * shape.modelWidth
    }
}

extension RunConfiguration {
    /// Bytes of a node's packed weights with `products`.
    package func packedBytes(_ products: ProductBackend, _ shape: any BackboneShape) -> Int {
        trainsWholeModel ? 0 : products.packedBytes(self.products, shape)
    }

    /// The copies of weights that the ranks of a node make at the start, while they pack for `products`.
    package func packingCopies(
        _ products: ProductBackend, _ shape: any BackboneShape, ranks: Int, threads: Int
    ) -> PackingCopies {
        PackingCopies(
            largest: shape.projectionGroups().map { $0.inputWidth * $0.outputWidth }.max() ?? 0,
            packed: packedBytes(products, shape), ranks: ranks, threads: threads)
    }

    /// The format in which the frozen weights are stored.
    package var weightFormat: WeightFormat {
        switch storage {
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}
