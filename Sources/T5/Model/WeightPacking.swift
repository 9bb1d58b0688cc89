import Failures
import Kernels

/// How a model's frozen projections are packed: once for all ranks of a node that share the memory.
public struct WeightPacking {
    /// What packs them.
    public let library: PackingLibrary
    /// The products that the packs serve.
    public let direction: FrozenMatrix.Direction
    private let memory: (Int) throws(Failure) -> any FrozenMemory

    /// Packs into what `memory(byteCount)` gives, filled by the rank that it makes the writer.
    public init(
        _ library: PackingLibrary, _ direction: FrozenMatrix.Direction,
        memory: @escaping (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) {
        self.library = library
        self.direction = direction
        self.memory = memory
    }

    /// Packs all of them; returns the memory that must outlive them. Collective where the memory is.
    func pack(
        _ projections: inout [FrozenMatrix], _ output: inout FrozenMatrix
    ) throws(Failure) -> any FrozenMemory {
        let sizes = try refusing { () throws(PackingError) in
            var sizes: [Int] = []
            for matrix in projections + [output] { sizes.append(try matrix.packedBytes(library, direction)) }
            return sizes
        }
        let target = try memory(sizes.reduce(0, +))
        try refusing { () throws(PackingError) in
            var place = target.base
            for index in projections.indices {
                try projections[index].pack(library, direction, into: place, fills: target.isWriter)
                place += sizes[index]
            }
            try output.pack(library, direction, into: place, fills: target.isWriter)
        }
        try target.publish()
        return target
    }

    private func refusing<Value>(_ body: () throws(PackingError) -> Value) throws(Failure) -> Value {
        do {
            return try body()
        } catch {
            throw Failure(.badConfiguration, "\(error)")
        }
    }
}
