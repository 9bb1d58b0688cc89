import Failures
import Heartbeat
import Kernels
import Tensors

/// Where a weight of a model comes from.
public typealias WeightSource = (file: SafetensorsFile, tensor: TensorDescription)

/// A model's weights where they are: in the mapped files, or converted in memory that the ranks of a node may share. Owns
/// both.
public final class PlacedWeights: Sendable {
    /// Whether conversions rounded, and the files have every tensor as floats that can be used in place.
    public let isRoundedInSight: Bool

    private let files: TensorCollection
    private let memory: (any FrozenMemory)?
    private let weights: [String: FrozenWeight]

    /// Places every tensor of `sources` in its format. Collective where the memory is.
    public init(
        _ sources: [String: WeightSource], _ files: TensorCollection, _ formats: [String: WeightFormat],
        _ makeMemory: (Int) throws(Failure) -> any FrozenMemory
    ) throws(Failure) {
        var weights: [String: FrozenWeight] = [:]
        var converted: [(name: String, source: WeightSource, format: WeightFormat, offset: Int)] = []
        var bytes = 0
        // In the same order on every rank.
        for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
            let format = formats[name] ?? .float32
            if let mapped = Self.mapped(source, format) {
                weights[name] = mapped
                continue
            }
            converted.append((name, source, format, bytes))
            bytes += (source.tensor.count * (format == .bfloat16 ? 2 : 4) + 63) & ~63
        }
        let memory = bytes > 0 ? try makeMemory(bytes) : nil
        for (name, source, format, offset) in converted {
            guard let memory else { break }
            weights[name] = try Self.converted(
                source, format, at: memory.base + offset, fills: memory.isWriter)
            Heartbeat.beat()
        }
        try memory?.publish()
        isRoundedInSight =
            formats.values.contains(.bfloat16)
            && sources.values.allSatisfy { $0.file.floats(of: $0.tensor) != nil }
        (self.files, self.memory, self.weights) = (files, memory, weights)
        // What was read to be converted is not needed again.
        if !converted.isEmpty { for file in files.files { file.releasePages() } }
    }

    /// A weight of the model.
    public subscript(name: String) -> FrozenWeight {
        guard let weight = weights[name] else { preconditionFailure("\(name) was checked to be there") }
        return weight
    }

    private static func shape(_ tensor: TensorDescription) -> (rows: Int, columns: Int) {
        (tensor.shape.dropLast().reduce(1, *), tensor.shape.last ?? 1)
    }

    /// The tensor in the mapped file, where the file has it in this format and aligned.
    private static func mapped(_ source: WeightSource, _ format: WeightFormat) -> FrozenWeight? {
        let (rows, columns) = shape(source.tensor)
        return switch format {
        // Frozen weights are only read; the mapping itself is read-only.
        case .float32:
            source.file.floats(of: source.tensor).map {
                .float32(Matrix(UnsafeMutablePointer(mutating: $0), rows: rows, columns: columns))
            }
        case .bfloat16:
            source.file.bfloat16s(of: source.tensor).map { .bfloat16($0, rows: rows, columns: columns) }
        }
    }

    /// The tensor converted into memory, which is written first with `fills`.
    private static func converted(
        _ source: WeightSource, _ format: WeightFormat, at place: UnsafeMutableRawPointer, fills: Bool
    ) throws(Failure) -> FrozenWeight {
        let (rows, columns) = shape(source.tensor)
        switch format {
        case .float32:
            let target = place.bindMemory(to: Float.self, capacity: source.tensor.count)
            if fills { try source.file.convert(source.tensor, into: target) }
            return .float32(Matrix(target, rows: rows, columns: columns))
        case .bfloat16:
            let target = place.bindMemory(to: UInt16.self, capacity: source.tensor.count)
            if fills { try source.file.convert(source.tensor, into: target) }
            return .bfloat16(target, rows: rows, columns: columns)
        }
    }
}
