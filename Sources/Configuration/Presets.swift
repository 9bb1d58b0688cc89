/// Sets of defaults; a file chooses one with `preset`.
enum Presets {
    /// The keys that a preset changes, as YAML.
    static func yaml(_ name: String) -> String {
        switch name {
        case "hyperformer":
            """
            lr: {peak: 3e-4, schedule: linear, warmup: 500}
            optim: {weightDecay: 0}
            loss: {labelSmoothing: 0.1, reduction: sum}
            batch: {global: 128}
            train: {steps: 65536}
            """
        case "repo":
            """
            method: unolora_star
            lora: {aInit: kaimingRank}
            hyper: {scaleInit: zeroMean, positions: modulo(twiceBlocks)}
            loss: {padTargets: 64}
            """
        default: ""
        }
    }
}
