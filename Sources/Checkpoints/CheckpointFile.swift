/// The names inside a checkpoint directory.
enum CheckpointFile {
    static let adapterConfiguration = "adapter/unolora_config.json"
    static let adapterModel = "adapter/unolora_model.safetensors"
    static let optimizer = "optimizer.safetensors"
    static let state = "state.json"
    static let manifest = "MANIFEST.json"

    /// The files that every checkpoint must have, apart from the manifest.
    static let required = [adapterConfiguration, adapterModel, optimizer, state]

    static let firstMomentPrefix = "m."
    static let secondMomentPrefix = "v."
}
