/// The names of a LoRA adapter of PEFT: files, and tensors by the path of the module that they adapt.
package enum PEFTNames {
    package static let configuration = "adapter_config.json"
    package static let weights = "adapter_model.safetensors"
    /// Before the path of a module.
    package static let prefix = "base_model.model."
    /// After it, for `[rank, in]`.
    package static let a = ".lora_A.weight"
    /// After it, for `[out, rank]`.
    package static let b = ".lora_B.weight"
}
