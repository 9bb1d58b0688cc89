/// The exit codes of `unolora-dist` as documented for users; they follow sysexits where one fits.
public enum ExitCode: Int32, Sendable, CaseIterable {
    /// Done.
    case success = 0
    /// `verify` or `reproduce` found a difference.
    case difference = 1
    /// The command line is wrong.
    case usage = 64
    /// Input data is malformed.
    case badData = 65
    /// An input file or directory is missing or unreadable.
    case inputMissing = 66
    /// The processor lacks instructions that this build uses; `CProcessor` ends the program before `main`.
    case unsupportedProcessor = 69
    /// A defect of this program.
    case `internal` = 70
    /// The machine, its MPI or a limit of the job cannot give what the run needs, such as memory; a restart alone does not
    /// help.
    case systemRefused = 71
    /// Output cannot be written.
    case cannotWrite = 74
    /// A rank died or made no progress; the run can be resumed.
    case rankLost = 75
    /// The configuration is wrong or impossible.
    case badConfiguration = 78
    /// Preempted; the run can be resumed.
    case preempted = 85
    /// A loss, a gradient or a logit of an answer is not finite.
    case notFinite = 86
    /// Ranks disagree.
    case ranksDisagree = 87
}

extension ExitCode {
    /// What it means, in a few words for the help; README.md says more.
    private var meaning: String {
        switch self {
        case .success: "done"
        case .difference: "verify or reproduce found a difference"
        case .usage: "usage"
        case .badData: "bad data"
        case .inputMissing: "input missing"
        case .unsupportedProcessor: "the processor lacks instructions that this build uses"
        case .internal: "internal"
        case .systemRefused: "the machine cannot give what the run needs"
        case .cannotWrite: "cannot write"
        case .rankLost: "a rank died or made no progress (start again)"
        case .badConfiguration: "bad configuration"
        case .preempted: "preempted (requeue)"
        case .notFinite: "not finite"
        case .ranksDisagree: "ranks disagree"
        }
    }

    /// Codes and meanings for the help of a program that ends with all codes but these: `0 done, 64 usage, ...`.
    public static func list(without absent: Set<ExitCode> = []) -> String {
        allCases.filter { !absent.contains($0) }.map { "\($0.rawValue) \($0.meaning)" }.joined(separator: ", ")
    }
}
