/// The name of a split: `train`, `validation`, `test`, or an additional one that a task evaluates.
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
    /// The examples that are used only for the final figures.
    public static let test = SplitName(rawValue: "test")

    /// The name.
    public var description: String { rawValue }
}

/// Where the rows of a split come from.
public enum SplitSource: Sendable, Equatable, Codable {
    /// All rows of these files, in order.
    case files([String])
    /// A random half of the rows of these files, floor(n/2) of them, drawn with the split seed.
    case firstHalf(of: [String])
    /// The rows of the same files that are not in `firstHalf`.
    case secondHalf(of: [String])
    /// That many random rows of the training files; they are removed from the training split.
    case heldOutOfTraining(Int)

    /// The files that the source itself names.
    var paths: [String] {
        switch self {
        case .files(let paths), .firstHalf(let paths), .secondHalf(let paths): paths
        case .heldOutOfTraining: []
        }
    }

    /// Which rows, as text: `all rows`, `the first half`, `the other half` or `1000 rows held out of training`.
    var rows: String {
        switch self {
        case .files: "all rows"
        case .firstHalf: "the first half"
        case .secondHalf: "the other half"
        case .heldOutOfTraining(let count): "\(count) rows held out of training"
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
    /// The name of this split's figures if it says more than `name` (MNLI's "matched").
    public let label: String?

    /// Creates a split.
    public init(_ name: SplitName, _ source: SplitSource, label: String? = nil) {
        self.name = name
        self.source = source
        self.label = label
    }

    /// Chooses the splits of a task from the files that exist.
    ///
    /// With both a validation and a test file, each is its own split. A validation file alone is halved into validation and
    /// test. Without one, `holdOut` training rows become validation, and `holdOutTest` of the others, drawn after them from the
    /// same random order, become test; a test file, if there is one, is the test split.
    public static func splits(
        train: [String], validation: [String] = [], test: [String] = [], holdOut: Int? = nil, holdOutTest: Int? = nil
    ) -> [SplitDefinition] {
        let training = SplitDefinition(.train, .files(train))
        if let holdOut, validation.isEmpty {
            let heldOut = SplitDefinition(.validation, .heldOutOfTraining(holdOut))
            let ofTest: SplitSource? = test.isEmpty ? holdOutTest.map { .heldOutOfTraining($0) } : .files(test)
            return [training, heldOut] + [ofTest.map { SplitDefinition(.test, $0) }].compactMap(\.self)
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
