public import Backbone
public import Failures
import Foundation
public import Kernels
public import Tensors

extension T5Model {
    /// Opens a Hugging Face T5 directory.
    ///
    /// Every tensor of the model must be there with its shape, and no other tensor; otherwise throws `badData` with its name.
    /// `maximumLength` is the longest source or target. Tensors that the file has in another format than `format`, or that
    /// cannot be used in place, are converted once into the memory that `convertedMemory(byteCount)` returns. The others are
    /// used from the mapped file, so ranks of a node share its pages. With `packing` the projections' products use packed
    /// copies, which need `float32`. `check` compares tensors that repeat others; this function does not.
    public static func load(
        directory: String, maximumLength: Int, format: WeightFormat = .float32, packing: WeightPacking? = nil,
        convertedMemory: (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) throws(Failure) -> T5Model {
        let (configuration, files, sources, _) = try open(directory, isWatched: true)
        let weights = try PlacedWeights(sources, files, configuration.formats(format), convertedMemory)
        let model = try T5Model(
            configuration: configuration, maximumLength: maximumLength, storage: weights, packing: packing,
            isRoundedInSight: weights.isRoundedInSight, files: files
        ) { name in weights[name] }
        // Otherwise the node would hold the weights twice. Pages that are still used come back when they are read.
        if packing != nil { for file in files.files { file.releasePages() } }
        return model
    }

    /// Refuses everything that `load` would refuse, without converting anything. It also refuses weights that are not finite,
    /// and tensors that should repeat others but have other numbers. Returns the digest of everything that decides the model's
    /// numbers: the relevant part of `config.json`, and every tensor's name, type, shape and bytes.
    public static func check(directory: String) throws(Failure) -> ContentDigest {
        let (configuration, files, sources, condition) = try open(directory)
        try checkAliases(configuration, files, sources, condition)
        var accumulator = ContentDigest.Accumulator()
        try unsafe [UInt8](StableJSON.line(configuration, "config.json")).withUnsafeBytes {
            unsafe accumulator.update($0)
        }
        for (name, _) in configuration.tensorShapes() {
            guard let (file, tensor) = sources[name] else { continue }
            // The shape keeps the bytes of two tensors apart.
            unsafe Array("\n\(name) \(tensor.elementType.rawValue) \(tensor.shape)\n".utf8).withUnsafeBytes {
                unsafe accumulator.update($0)
            }
            guard unsafe digest(file.bytes(of: tensor), as: tensor.elementType, into: &accumulator) else {
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

    private static func open(
        _ directory: String, isWatched: Bool = false
    ) throws(Failure) -> (T5Configuration, TensorCollection, [String: WeightSource], OutputForm.Condition) {
        guard FileManager.default.fileExists(atPath: directory) else {
            throw Failure(
                .inputMissing,
                "\(directory) does not exist; `model` must name a Hugging Face T5 directory (config.json, "
                    + "model.safetensors, spiece.model)")
        }
        let path = directory + "/config.json"
        let raw = try HuggingFaceConfiguration(path: path)
        // The configuration is checked before the files: a wrong kind of model is more important than a wrong file.
        _ = try T5Configuration(raw, OutputForm(raw, hasOwn: nil, path: path), path: path)
        let files = try TensorCollection(directory: directory, isWatched: isWatched)
        let form = try OutputForm(raw, hasOwn: OutputForm.hasOwn(files), path: path)
        let configuration = try T5Configuration(raw, form, path: path)
        return (configuration, files, try findTensors(configuration, files), form.condition)
    }

    /// Finds every tensor of the model and refuses missing, misshapen and extra ones.
    private static func findTensors(
        _ configuration: T5Configuration, _ files: TensorCollection
    ) throws(Failure) -> [String: WeightSource] {
        var sources: [String: WeightSource] = [:]
        let aliases = configuration.aliases()
        for (name, shape) in configuration.tensorShapes() {
            let names = [name] + aliases.filter { $0.of == name }.map(\.name)
            guard let found = names.lazy.compactMap({ files[$0] }).first else {
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
        let known = Set(sources.keys).union(aliases.map(\.name)).union(T5Configuration.ignoredTensors)
        if let extra = files.names.first(where: { !known.contains($0) }) {
            throw Failure(
                .badData,
                "\(files.directory): tensor \(extra) does not belong to a T5 with this config.json; take both from the "
                    + "same model")
        }
        return sources
    }
}
