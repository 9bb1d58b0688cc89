public import Failures
import Foundation

/// A run's configuration for an evaluation, in which keys have other values than in the training (`evaluate --set`).
public struct EvaluationSettings: Sendable {
    /// The configuration with these values.
    public let configuration: RunConfiguration
    /// The keys that were given and act in an evaluation, in the order of the reference, with their values as YAML. Paths are left
    /// out: the files are known by their content.
    public let given: [Given]
    /// Sentences for the user about keys that do nothing here.
    public let remarks: [String]
    /// The split that was given with `eval.split`; nil for none.
    public let split: String?
    /// Largest number of examples of a task. Nil for all, unless it was given: the run's own `eval.maxExamples` is for the
    /// evaluations during the training.
    public let maxExamples: Int?

    /// A key and its value.
    public struct Given: Sendable, Equatable {
        /// The key's path.
        public let key: String
        /// Its value, as YAML.
        public let value: String
        /// Where it was given, for a refusal.
        public let place: String
    }

    /// Keys that act in an evaluation and decide nothing of the trained adapter. `parallel.gemm` is among them although it decides
    /// bits of a training: figures of both libraries are compared everywhere.
    private static let free: Set<String> = [
        "model", "data.glue", "data.cache", "eval.split", "eval.batch", "eval.maxExamples", "eval.maxNewTokens",
        "parallel.threads", "parallel.gemm",
    ]

    /// Whether a key decided what was trained, so that no other value can be set any more.
    private static func decidedTraining(_ key: Key) -> Bool {
        !free.contains(key.path) && (key.decidesResult || key.path == "init.from")
    }

    /// A configuration in which nothing was set.
    package init(_ configuration: RunConfiguration) {
        self.configuration = configuration
        (given, remarks, split, maxExamples) = ([], [], nil, nil)
    }

    /// Reads the configuration of a run with `--set` assignments. Refuses keys that decide what was trained, unless they have the
    /// run's own value.
    public init(run file: String, set assignments: [String] = []) throws(Failure) {
        let trained = try RunConfiguration.load(file: file)
        let current = FileManager.default.currentDirectoryPath
        var places: [String: String] = [:]
        for assignment in assignments {
            for (key, leaf) in try Layer(assignment: assignment).leaves.sorted(by: { $0.key < $1.key }) {
                places[key] = leaf.place
                guard key != "tasks" else {
                    throw Failure(
                        .usage, "\(leaf.place): other files of a task are given as a file of tasks, with --tasks-file")
                }
                guard key != "preset" else {
                    throw Failure(
                        .usage, "\(leaf.place): a preset is for a training; set the single keys that you mean")
                }
                // This comes before values that are impossible together, of which the one that was trained with stays.
                guard let known = KeyTable.byPath[key], Self.decidedTraining(known) else { continue }
                let was = trained.values[key] ?? .null
                guard try known.read(leaf, directory: current) != was else { continue }
                throw Failure(
                    .badConfiguration,
                    "\(leaf.place): \(key) decided what was trained, with the value \(was.yaml), and the adapter does not become "
                        + "one of another value by setting it now; leave it out, or train a run with it")
            }
        }
        configuration = try RunConfiguration.load(file: file, overrides: assignments, isForUse: true)
        let keys = KeyTable.keys.filter { places[$0.path] != nil }
        given = keys.filter { Self.free.contains($0.path) && !$0.kind.isPath }.map { [configuration] key in
            Given(
                key: key.path, value: (configuration.values[key.path] ?? .null).yaml, place: places[key.path] ?? file)
        }
        // What decided the training has the run's own value, which is as good as not given.
        remarks = keys.filter { !Self.free.contains($0.path) && !Self.decidedTraining($0) }.map {
            "\($0.path) has no effect on an evaluation"
        }
        split = places["eval.split"] == nil ? nil : configuration.evaluationSplit
        maxExamples = places["eval.maxExamples"] == nil ? nil : configuration.evaluationMaxExamples
    }
}
