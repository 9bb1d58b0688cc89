public import Failures
public import Tensors

/// The tensors of a model, found in its files.
public struct ModelTensors {
    /// Where each tensor is, by the name that the model has for it.
    public let sources: [String: WeightSource]
    private let names: [String]

    /// Finds every tensor of `shapes` and refuses missing, misshapen and extra ones.
    ///
    /// - Parameters:
    ///   - shapes: the tensors of the model, in canonical order.
    ///   - aliases: names under which some files have a tensor in addition or instead, each with the model's own name for it.
    ///   - ignored: names of tensors that a file may have although the model does not read them.
    public init(
        _ shapes: [(name: String, shape: [Int])], in files: TensorCollection,
        aliases: [(name: String, of: String)] = [], ignored: Set<String> = []
    ) throws(Failure) {
        var sources: [String: WeightSource] = [:]
        for (name, shape) in shapes {
            let candidates = [name] + aliases.filter { $0.of == name }.map(\.name)
            guard let found = candidates.lazy.compactMap({ files[$0] }).first else {
                throw Failure(
                    .badData,
                    "\(files.directory): tensor \(name) is missing; the files do not belong to this config.json, or the "
                        + "download is incomplete")
            }
            guard found.tensor.shape == shape else {
                throw Failure(
                    .badData,
                    "\(found.file.path): tensor \(name) has shape \(found.tensor.shape), but config.json asks for "
                        + "\(shape); take both from the same model")
            }
            guard found.tensor.elementType.convertsToFloat else {
                throw Failure(
                    .badData,
                    "\(found.file.path): tensor \(name) is \(found.tensor.elementType.rawValue); only F32, F16 and BF16 "
                        + "weights can be read")
            }
            sources[name] = found
            for alias in aliases where alias.of == name {
                guard let other = files[alias.name], other.tensor.shape != shape else { continue }
                throw Failure(
                    .badData,
                    "\(other.file.path): tensor \(alias.name) has shape \(other.tensor.shape), but it repeats \(name) "
                        + "of shape \(shape); take it from the same model")
            }
        }
        let known = Set(sources.keys).union(aliases.map(\.name)).union(ignored)
        if let extra = files.names.first(where: { !known.contains($0) }) {
            throw Failure(
                .badData,
                "\(files.directory): tensor \(extra) does not belong to a model with this config.json; take both from the "
                    + "same model")
        }
        self.sources = sources
        names = shapes.map(\.name)
    }

    /// The digest of `text`, which describes the model's shape, and of every tensor's name, type, shape and bytes. Refuses
    /// numbers that are not finite.
    public func digest(after text: some Sequence<UInt8>) throws(Failure) -> ContentDigest {
        var accumulator = ContentDigest.Accumulator()
        unsafe Array(text).withUnsafeBytes { unsafe accumulator.update($0) }
        for name in names {
            guard let (file, tensor) = sources[name] else { continue }
            // The shape keeps the bytes of two tensors apart.
            unsafe Array("\n\(name) \(tensor.elementType.rawValue) \(tensor.shape)\n".utf8).withUnsafeBytes {
                unsafe accumulator.update($0)
            }
            guard unsafe Self.digest(file.bytes(of: tensor), as: tensor.elementType, into: &accumulator) else {
                throw Failure(
                    .badData,
                    "\(file.path): tensor \(name) holds numbers that are not finite, with which nothing can be trained; get "
                        + "the model again from its source")
            }
        }
        return accumulator.digest
    }

    /// Appends a tensor's bytes to a digest; returns whether its numbers are finite. It examines each part while the part is in
    /// the processor's cache.
    private static func digest(
        _ bytes: UnsafeRawBufferPointer, as type: ElementType, into accumulator: inout ContentDigest.Accumulator
    ) -> Bool {
        let size = 1 << 18
        for start in stride(from: 0, to: bytes.count, by: size) {
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + size, bytes.count)])
            unsafe accumulator.update(part)
            guard unsafe areFinite(part, as: type) else { return false }
        }
        return true
    }
}
