public import Failures
import Heartbeat
public import Kernels

/// How a model's frozen projections are packed: once for all ranks of a node that share the memory.
public struct WeightPacking {
    /// The kernels that pack them.
    public let library: PackingLibrary
    /// The products that the packs serve, and their number formats. The output matrix stays in float32: it is a small part of
    /// the work, and its rounding errors would go straight into the answers.
    public let packs: FrozenMatrix.Packs
    private let memory: (Int) throws(Failure) -> any FrozenMemory

    /// Packs into the memory that `memory(byteCount)` returns; the rank that is its writer fills it.
    public init(
        _ library: PackingLibrary, _ packs: FrozenMatrix.Packs = FrozenMatrix.Packs(),
        memory: @escaping (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) {
        self.library = library
        self.packs = packs.made(by: library)
        self.memory = memory
    }

    /// Packs all projections and the output matrix; returns the memory, which must outlive them. Collective if `memory` is.
    public func pack(
        _ projections: inout [FrozenMatrix], _ output: inout FrozenMatrix
    ) throws(Failure) -> any FrozenMemory {
        let sizes = try refusing { () throws(PackingError) in
            var sizes: [Int] = []
            for matrix in projections { sizes.append(try matrix.packedBytes(library, packs)) }
            return sizes + [try output.packedBytes(library, outputPacks)]
        }
        let target = try memory(sizes.reduce(0, +))
        try refusing { () throws(PackingError) in
            var place = unsafe target.base
            for index in projections.indices {
                try unsafe projections[index].pack(library, packs, into: place, fills: target.isWriter)
                unsafe place += sizes[index]
                Heartbeat.beat()
            }
            try unsafe output.pack(library, outputPacks, into: place, fills: target.isWriter)
        }
        try target.publish()
        return target
    }

    private var outputPacks: FrozenMatrix.Packs {
        FrozenMatrix.Packs(forward: .float32, backward: packs.backward == nil ? nil : .float32).made(by: library)
    }

    private func refusing<Value>(_ body: () throws(PackingError) -> Value) throws(Failure) -> Value {
        do {
            return try body()
        } catch {
            throw Failure(.badConfiguration, "\(error)")
        }
    }
}
