/// One key of the configuration: the values that it may have, its default and its purpose.
///
/// One table of keys controls reading, refusals, the resolved file and the reference page.
struct Key: Sendable {
    /// The values that a key may have.
    indirect enum Kind: Sendable {
        case flag
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        /// A number above 0 in the range of single precision, in which the trainer computes.
        case positive
        case text
        /// A path; relative ones are relative to the configuration file.
        case path
        case choice([String])
        /// A list of some of these words without repetition.
        case subset([String])
        /// Seconds, or a number with s, m or h.
        case duration
        /// `null`, or the other kind.
        case optional(Kind)
        /// One of these words, or the other kind.
        case word([String], Kind)
        /// `perSite`, `modulo(P)` or `modulo(twiceBlocks)`.
        case positions
        /// Lists of projections by attention.
        case targets
        /// A list of task names and mappings.
        case tasks
    }

    /// Path, e.g. `lora.rank`.
    let path: String
    let kind: Kind
    /// Default as YAML; nil when the key must be given.
    let standard: String?
    /// Whether it decides the bits of the result.
    let decidesResult: Bool
    /// Whether the default, too, is in the records of runs. It is not for a key that was added to a section of earlier versions:
    /// their records do not have the key, and so remain those of the same runs.
    let recordsDefault: Bool
    /// One or two sentences for the reference page.
    let purpose: String

    init(
        _ path: String, _ kind: Kind, _ standard: String?, result: Bool = false, recordsDefault: Bool = true,
        _ purpose: String
    ) {
        self.path = path
        self.kind = kind
        self.standard = standard
        decidesResult = result
        self.recordsDefault = recordsDefault
        self.purpose = purpose
    }
}

extension Key.Kind {
    /// Whether the value is a path in the file system.
    var isPath: Bool {
        switch self {
        case .path: true
        case .optional(let kind): kind.isPath
        default: false
        }
    }

    /// Whether the value is a number that only has to be above 0; it may be optional.
    var isPositive: Bool {
        switch self {
        case .positive: true
        case .optional(let kind), .word(_, let kind): kind.isPositive
        default: false
        }
    }

    /// The allowed values, as text for a refusal and the reference page.
    var allowed: String {
        switch self {
        case .flag: return "true or false"
        case .integer(let range):
            return range.upperBound == .max
                ? "a whole number from \(range.lowerBound)"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .number(let range):
            return range.upperBound == .infinity
                ? "a number from \(range.lowerBound)"
                : "a number from \(range.lowerBound) to \(range.upperBound)"
        case .positive: return "a number above 0"
        case .text: return "text"
        case .path: return "a path"
        case .choice(let words): return "one of " + words.joined(separator: ", ")
        case .subset(let words): return "a list of some of " + words.joined(separator: ", ")
        case .duration: return "a duration such as 90s, 2m or 1h"
        case .optional(let kind): return kind.allowed + ", or null"
        case .word(let words, let kind): return words.joined(separator: ", ") + " or " + kind.allowed
        case .positions: return "perSite, modulo(twiceBlocks) or modulo(P) with a whole number P from 1"
        case .targets:
            return
                "a mapping from encoderSelf, decoderSelf, decoderCross (lists of q, k, v, o) and feedForward (a list "
                + "of wi, wi_0, wi_1, wo)"
        case .tasks: return "a list of task names and custom tasks (mappings with a name)"
        }
    }
}
