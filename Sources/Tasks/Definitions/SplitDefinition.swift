/// The name of a split: `train`, `validation`, `test`, or an extra one that a task evaluates beside them.
public struct SplitName: RawRepresentable, Sendable, Hashable, Codable, CustomStringConvertible {
    /// The name as written in configuration and tables.
    public let rawValue: String

    /// Creates a name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The examples that training draws from.
    public static let train = SplitName(rawValue: "train")
    /// The examples that choose the best checkpoint.
    public static let validation = SplitName(rawValue: "validation")
    /// The examples that nothing but the final figures sees.
    public static let test = SplitName(rawValue: "test")

    /// The name.
    public var description: String { rawValue }
}

/// Where the rows of a split come from.
public enum SplitSource: Sendable, Equatable, Codable {
    /// All rows of these files, one after the other.
    case files([String])
    /// A random half of the rows of these files, floor(n/2) of them, drawn with the split seed.
    case firstHalf(of: [String])
    /// The rows that `firstHalf` of the same files leaves.
    case secondHalf(of: [String])
    /// That many random rows of the training files; they leave the training split.
    case heldOutOfTraining(Int)

    /// The files that the source names itself.
    var paths: [String] {
        switch self {
        case .files(let paths), .firstHalf(let paths), .secondHalf(let paths): paths
        case .heldOutOfTraining: []
        }
    }

    /// The same source with other files.
    func mapPaths(_ transform: (String) -> String) -> SplitSource {
        switch self {
        case .files(let paths): .files(paths.map(transform))
        case .firstHalf(let paths): .firstHalf(of: paths.map(transform))
        case .secondHalf(let paths): .secondHalf(of: paths.map(transform))
        case .heldOutOfTraining: self
        }
    }
}

/// One split of a task.
public struct SplitDefinition: Sendable, Equatable, Codable {
    /// Its name.
    public let name: SplitName
    /// Where its rows come from.
    public let source: SplitSource
    /// What the figures of this split are called where that says more than its name (MNLI's "matched").
    public let label: String?

    /// Creates a split.
    public init(_ name: SplitName, _ source: SplitSource, label: String? = nil) {
        self.name = name
        self.source = source
        self.label = label
    }

    /// The splits of a task from the files at hand.
    ///
    /// With both a validation and a test file each is its split. A validation file alone is halved into validation and
    /// test. Without one, `holdOut` training rows become validation, beside the test file if there is one.
    public static func splits(
        train: [String], validation: [String] = [], test: [String] = [], holdOut: Int? = nil
    ) -> [SplitDefinition] {
        let training = SplitDefinition(.train, .files(train))
        if let holdOut, validation.isEmpty {
            let heldOut = SplitDefinition(.validation, .heldOutOfTraining(holdOut))
            return [training, heldOut] + (test.isEmpty ? [] : [SplitDefinition(.test, .files(test))])
        }
        if validation.isEmpty { return [training] }
        guard test.isEmpty else {
            return [training, SplitDefinition(.validation, .files(validation)), SplitDefinition(.test, .files(test))]
        }
        return [
            training, SplitDefinition(.validation, .firstHalf(of: validation)),
            SplitDefinition(.test, .secondHalf(of: validation)),
        ]
    }
}
