public import Failures
public import Kernels
import Tensors

/// How a model's frozen projections are packed: once for all ranks of a node that share the memory.
public struct WeightPacking {
    /// The kernels that pack them.
    public let library: PackingLibrary
    /// The products that the packs serve, and their number formats. The output matrix stays in float32, or in what stands for it
    /// (`PackingLibrary.accurate`): it is a small part of the work, and its rounding errors would go straight into the answers.
    public let packs: FrozenMatrix.Packs
    private let threads: Int
    private let memory: (Int) throws(Failure) -> any FrozenMemory

    /// Packs into the memory that `memory(byteCount)` returns: each rank that shares it fills a part, on `threads` threads.
    public init(
        _ library: PackingLibrary, _ packs: FrozenMatrix.Packs = FrozenMatrix.Packs(), threads: Int = 1,
        memory: @escaping (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) {
        self.library = library
        self.packs = packs.made(by: library)
        self.threads = threads
        self.memory = memory
    }

    /// Packs all projections and the output matrix; returns the memory, which must outlive them. Collective if `memory` is.
    public func pack(
        _ projections: inout [FrozenMatrix], _ output: inout FrozenMatrix
    ) throws(Failure) -> any FrozenMemory {
        let sizes = try Self.refusing { () throws(PackingError) in
            var sizes: [Int] = []
            for matrix in projections { sizes.append(try matrix.packedBytes(library, packs)) }
            return sizes + [try output.packedBytes(library, outputPacks)]
        }
        let target = try memory(sizes.reduce(0, +))
        try Self.refusing { () throws(PackingError) in
            var place = unsafe target.base
            for index in projections.indices {
                try unsafe projections[index].usePacks(library, packs, in: place)
                unsafe place += sizes[index]
            }
            try unsafe output.usePacks(library, outputPacks, in: place)
        }
        let copies = PackingCopies(
            largest: projections.map { $0.inputWidth * $0.outputWidth }.max() ?? 0, packed: sizes.reduce(0, +),
            ranks: target.share.of, threads: threads)
        try fill(projections + [output], target, threads: copies.threads)
        try target.publish()
        return target
    }

    /// Fills this rank's share of the packs. The largest come first, so that no thread begins one when the others are done.
    private func fill(
        _ matrices: [FrozenMatrix], _ target: any FrozenMemory, threads: Int
    ) throws(Failure) {
        let all = matrices.flatMap { matrix in
            FrozenMatrix.PackedProduct.allCases.filter(matrix.hasPack).map { (matrix: matrix, product: $0) }
        }
        let sizes = all.map { $0.matrix.inputWidth * $0.matrix.outputWidth }
        let order = all.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }
        let (number, ranks) = target.share
        let own = stride(from: number, to: order.count, by: ranks).map { all[order[$0]] }
        _ = try parallelMap(own.count, threads: threads) { index throws(Failure) in
            try Self.refusing { () throws(PackingError) in try own[index].matrix.fillPack(own[index].product) }
        }
    }

    private var outputPacks: FrozenMatrix.Packs {
        FrozenMatrix.Packs(
            forward: library.accurate, backward: packs.backward == nil ? nil : library.accurate
        ).made(by: library)
    }

    private static func refusing<Value>(_ body: () throws(PackingError) -> Value) throws(Failure) -> Value {
        do {
            return try body()
        } catch {
            throw Failure(.badConfiguration, "\(error)")
        }
    }
}
