/// The names inside a checkpoint directory.
enum CheckpointFile {
    static let adapterConfiguration = "adapter/unolora_config.json"
    static let adapterModel = "adapter/unolora_model.safetensors"
    /// The weights of a checkpoint whose adapter directory is a model of Hugging Face.
    static let wholeModel = "adapter/model.safetensors"
    static let optimizer = "optimizer.safetensors"
    /// The running averages of the tasks' gradients; only in checkpoints of runs that keep them.
    static let averages = "interference.safetensors"
    static let state = "state.json"
    static let manifest = "MANIFEST.json"

    /// The files that every checkpoint must have, apart from the manifest and the weights.
    static let required = [adapterConfiguration, optimizer, state]
    /// Where the weights may be; a checkpoint has one of these files.
    static let weights = [adapterModel, wholeModel]

    static let firstMomentPrefix = "m."
    static let secondMomentPrefix = "v."
}
