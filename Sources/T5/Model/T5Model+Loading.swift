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
        let (configuration, files, tensors, _) = try open(directory, isWatched: true)
        let weights = try PlacedWeights(tensors.sources, files, configuration.formats(format), convertedMemory)
        let model = try T5Model(
            configuration: configuration, maximumLength: maximumLength, storage: weights, packing: packing,
            isRoundedFromMapped: weights.isRoundedFromMapped, files: files
        ) { name in weights[name] }
        // Otherwise the node would hold the weights twice. Pages that are still used come back when they are read.
        if packing != nil { for file in files.files { file.releasePages() } }
        return model
    }

    /// Refuses everything that `load` would refuse, without converting anything. It also refuses weights that are not finite,
    /// and tensors that should repeat others but have other numbers. Returns the digest of everything that decides the model's
    /// numbers: the relevant part of `config.json`, and every tensor's name, type, shape and bytes.
    public static func check(directory: String) throws(Failure) -> ContentDigest {
        let (configuration, files, tensors, condition) = try open(directory)
        try checkAliases(configuration, files, tensors.sources, condition)
        return try tensors.digest(after: StableJSON.line(configuration, "config.json"))
    }

    private static func open(
        _ directory: String, isWatched: Bool = false
    ) throws(Failure) -> (T5Configuration, TensorCollection, ModelTensors, OutputForm.Condition) {
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
        let tensors = try ModelTensors(
            configuration.tensorShapes(), in: files, aliases: configuration.aliases(),
            ignored: T5Configuration.ignoredTensors)
        return (configuration, files, tensors, form.condition)
    }
}
