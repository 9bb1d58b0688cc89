/// What `export` writes.
public enum ExportFormat: String, CaseIterable, Sendable {
    /// A LoRA adapter that the PEFT library loads beside the base.
    case peft
    /// A model directory that transformers loads: the base with the update added to its weights.
    case merged
    /// The adapter with its configuration, tasks and the digest of its base in one safetensors file.
    case native
}
