/// Everything that was found out about one run's adapter.
package struct RunAnalysis: Codable, Sendable {
    /// What the run is.
    package struct Source: Codable, Sendable {
        /// The run directory as it was given; it names the run in all tables.
        package var name: String
        package var method: String
        /// The model's directory.
        package var model: String
        package var seed: UInt64
        /// The checkpoint's directory.
        package var checkpoint: String
        /// Its number of training steps.
        package var step: Int
        /// Digest of the adapter's weights.
        package var adapter: String
        /// Digest of the backbone on which it was trained.
        package var backbone: String
        /// Names of the tasks.
        package var tasks: [String]
        /// Rank of A and rank of B; nil for methods without them.
        package var ranks: [Int]?
        package var alpha: Double?
        /// With what the run began; nil if that is not known any more, and then nothing is `minusStart`.
        package var start: Start?
        /// What is missing here, and why, each in a sentence.
        package var notes: [String]

        package init(
            name: String, method: String, model: String, seed: UInt64, checkpoint: String, step: Int, adapter: String,
            backbone: String, tasks: [String], ranks: [Int]? = nil, alpha: Double? = nil
        ) {
            (self.name, self.method, self.model, self.seed) = (name, method, model, seed)
            (self.checkpoint, self.step, self.adapter, self.backbone) = (checkpoint, step, adapter, backbone)
            (self.tasks, self.ranks, self.alpha, self.notes) = (tasks, ranks, alpha, [])
        }
    }

    /// The beginning of a run.
    package enum Start: String, Codable, Sendable {
        /// At random, from its seed.
        case seed
        /// With the adapter that `init.from` named.
        case origin
        /// With the model's own weights.
        case model
    }

    package let source: Source
    package let measures: AdapterMeasures
    /// Between the tasks of the run, if each has matrices of its own.
    package let overlaps: [OverlapTable]
    /// Nil for methods without scales, and if they cannot be computed any more.
    package let scales: ScaleAnalysis?

    package init(
        source: Source, measures: AdapterMeasures, overlaps: [OverlapTable], scales: ScaleAnalysis?
    ) {
        (self.source, self.measures, self.overlaps, self.scales) = (source, measures, overlaps, scales)
    }
}

/// The measures of all matrices of one adapter.
package struct AdapterMeasures: Codable, Sendable {
    package internal(set) var matrices: [MatrixAnalysis] = []
    package internal(set) var correlations: [CorrelationMatrix] = []
    package internal(set) var components: [SiteComponents] = []

    /// No measures yet.
    package init() {}
}

/// Two runs, compared.
package struct RunComparison: Codable, Sendable {
    /// The runs' names.
    package let first: String
    package let second: String
    /// Why they are not compared, in a sentence; nil if they are.
    package let reason: String?
    package let overlaps: [OverlapTable]

    package init(first: String, second: String, reason: String?, overlaps: [OverlapTable]) {
        (self.first, self.second, self.reason, self.overlaps) = (first, second, reason, overlaps)
    }
}

/// The content of `analysis.json`.
package struct AnalysisReport: Codable, Sendable {
    /// Marks the file, so that a later analysis may take its place.
    package static let kind = "unolora-dist analysis"

    package var kind = Self.kind
    /// Raised when the meaning of a field changes.
    package var format = 1
    /// The program's version and commit, and the library that computed.
    package let version: String
    package let commit: String
    package let library: String
    /// The names of all files of this analysis, in the same directory.
    package var files: [String]
    /// What each measure is, in one line.
    package let definitions: [String: String]
    package let runs: [RunAnalysis]
    package let comparisons: [RunComparison]

    package init(
        version: String, commit: String, library: String, files: [String], definitions: [String: String],
        runs: [RunAnalysis], comparisons: [RunComparison]
    ) {
        (self.version, self.commit, self.library, self.files) = (version, commit, library, files)
        (self.definitions, self.runs, self.comparisons) = (definitions, runs, comparisons)
    }
}
