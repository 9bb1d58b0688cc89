public import Failures
import Heartbeat
public import Kernels
public import Tensors

/// Where a weight of a model comes from.
public typealias WeightSource = (file: SafetensorsFile, tensor: TensorDescription)

/// A model's weights in their places: in the mapped files, or converted in memory that the ranks of a node may share. It owns
/// the files and the memory.
public final class PlacedWeights: Sendable {
    /// Whether conversions rounded while the files have every tensor as floats that can be used in place.
    public let isRoundedFromMapped: Bool

    private let files: TensorCollection
    private let memory: (any FrozenMemory)?
    private let weights: [String: FrozenWeight]

    /// Places every tensor of `sources` in its format. Collective if `makeMemory` is.
    public init(
        _ sources: [String: WeightSource], _ files: TensorCollection, _ formats: [String: WeightFormat],
        _ makeMemory: (Int) throws(Failure) -> any FrozenMemory
    ) throws(Failure) {
        var weights: [String: FrozenWeight] = [:]
        var converted: [(name: String, source: WeightSource, format: WeightFormat, offset: Int)] = []
        var bytes = 0
        // The order is the same on every rank.
        for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
            let format = formats[name] ?? .float32
            if let mapped = FrozenWeight(mapped: source.tensor, of: source.file, as: format) {
                weights[name] = mapped
                continue
            }
            converted.append((name, source, format, bytes))
            bytes += (format.byteCount(source.tensor.count) + 63) & ~63
        }
        let memory = bytes > 0 ? try makeMemory(bytes) : nil
        for (name, source, format, offset) in converted {
            guard let memory else { break }
            weights[name] = try unsafe FrozenWeight(
                source.tensor, of: source.file, as: format, at: memory.base + offset, fills: memory.isWriter)
            Heartbeat.beat()
        }
        try memory?.publish()
        isRoundedFromMapped =
            formats.values.contains { $0 != .float32 }
            && sources.values.allSatisfy { unsafe $0.file.floats(of: $0.tensor) != nil }
        (self.files, self.memory, self.weights) = (files, memory, weights)
        // The pages that were read for the conversion are not needed again.
        if !converted.isEmpty { for file in files.files { file.releasePages() } }
    }

    /// A weight of the model.
    public subscript(name: String) -> FrozenWeight {
        guard let weight = weights[name] else { preconditionFailure("\(name) was checked to be there") }
        return weight
    }
}
