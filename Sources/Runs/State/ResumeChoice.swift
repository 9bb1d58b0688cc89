import Checkpoints

/// Which checkpoint a run continues from.
public enum ResumeChoice: Sendable, Equatable {
    /// The newest intact checkpoint of the run directory, or a fresh start when there is none.
    case auto
    /// A fresh start; refused when the run directory already holds a checkpoint.
    case never
    /// The checkpoint in a directory, of `best`, `last` or of a step.
    case checkpoint(String)

    /// Reads the value of `--resume`.
    public init(_ text: String) {
        switch text {
        case "auto": self = .auto
        case "never": self = .never
        default: self = .checkpoint(text)
        }
    }
}

extension CheckpointStore.Selection {
    /// The meaning of the value of `--resume` or `--checkpoint`: a link, a step or a path.
    package init(named name: String) {
        if let link = CheckpointStore.Link(rawValue: name) {
            self = .link(link)
        } else if let step = Int(name) {
            self = .step(step)
        } else {
            self = .path(name)
        }
    }
}
