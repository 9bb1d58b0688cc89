import Backbones
public import Configuration
public import Failures
import Foundation
import MPI
public import Runs
import Tasks
import Tensors
import Text

/// The run of the bare command: the generated suite, a vocabulary trained on it, and a small random T5.
///
/// It is written like a user's own run: task files, a model directory and a `run.yaml`, to look at and to start from.
public enum EmbeddedExample {
    private static let seed: UInt64 = 1

    /// The configuration of the example in a run directory, with the user's settings; the example need not have been written yet,
    /// so that what is refused leaves nothing behind.
    public static func configuration(
        in run: RunDirectory, overrides: [String], options: [(option: String, assignment: String)]
    ) throws(Failure) -> RunConfiguration {
        let path = path(in: run)
        // The values of the example are not the user's wishes.
        if FileManager.default.fileExists(atPath: path) {
            return try RunConfiguration.load(file: path, isOwn: false, overrides: overrides, options: options)
        }
        return try RunConfiguration.load(
            yaml: yaml, name: path, directory: run.path(of: .example), isOwn: false, overrides: overrides,
            options: options)
    }

    /// Writes the example into a run directory unless it exists; collective.
    ///
    /// Throws `cannotWrite`, before anything is written, when the run directory would be refused or a part of the example is
    /// another user's link.
    static func prepare(in run: RunDirectory, world: Communicator) throws(Failure) {
        if world.rank == 0 { try prepare(in: run) }
        try world.barrier()
    }

    /// The path of the example's configuration.
    static func path(in run: RunDirectory) -> String { run.path(of: .example) + "/run.yaml" }

    /// Writes the example into a run directory unless it exists.
    static func prepare(in run: RunDirectory) throws(Failure) {
        let path = path(in: run)
        try run.refuseForeign()
        try refuseForeignLink(path)
        if !FileManager.default.fileExists(atPath: path) { try write(run, configuration: path) }
    }

    /// Explains, for a failure in one of the example's files, that the user did not write the file and need not repair it.
    public static func explain(_ failure: Failure, in directory: String) -> Failure {
        let codes: [ExitCode] = [.badData, .inputMissing, .badConfiguration]
        let places = [directory, URL(fileURLWithPath: directory).standardizedFileURL.path]
        guard codes.contains(failure.code), places.contains(where: { failure.message.contains($0 + "/") }) else {
            return failure
        }
        return Failure(
            failure.code,
            "\(failure.message) (this is the embedded example, which the program makes itself: remove \(directory) and start "
                + "again)")
    }

    private static func write(_ run: RunDirectory, configuration path: String) throws(Failure) {
        let directory = try run.make(.example, with: ["model"] + EmbeddedTask.allCases.map { "tasks/\($0.rawValue)" })
        try EmbeddedSuite.write(to: directory + "/tasks", seed: seed)
        try NewBackbone.embedded.write(directory: directory + "/model", seed: seed)
        let corpus = EmbeddedSuite.corpus(seed: seed)
        try VocabularyTrainer.train(
            sentences: corpus, pieces: vocabularyPieces, to: directory + "/model/spiece.model")
        // This file is written last, since it shows that the rest is complete.
        try DurableFile.replace(path) { file throws(Failure) in try file.write(yaml) }
    }

    private static let vocabularyPieces = 480

    /// The configuration; paths are relative to the file.
    static var yaml: String {
        """
        # The embedded example: five generated tasks shaped like GLUE, a vocabulary trained on them, a small random T5.
        # Every key: docs/configuration.md
        model: model
        method: unolora
        tasks:
        \(EmbeddedTask.allCases.map(entry).joined(separator: "\n"))
        lora: {dropout: 0}
        sampler: {granularity: example}
        batch: {global: 32, micro: 4}
        train: {steps: 1500, seed: 1}
        lr: {peak: 3e-3, warmup: 60}
        eval: {every: 500, batch: 32}
        checkpoint: {every: 500}
        log: {every: 20}

        """
    }

    private static func entry(_ task: EmbeddedTask) -> String {
        let isJSON = task.format == .jsonLines
        let ending = isJSON ? "jsonl" : "tsv"
        var lines = [
            "  - name: \(task.rawValue)", "    format: \(ending)", "    train: tasks/\(task.rawValue)/train.\(ending)",
            "    validation: tasks/\(task.rawValue)/validation.\(ending)",
            "    test: tasks/\(task.rawValue)/test.\(ending)",
            "    fields: [\(task.fields.joined(separator: ", "))]",
            "    \(task.answerSpace == .texts ? "target" : "label"): \(task.labelColumn)",
            "    metrics: [\(task.metrics.map(\.rawValue).joined(separator: ", "))]",
        ]
        if task.format == .tsv(hasHeader: false) {
            lines.append("    header: false")
            lines.append("    columns: [\(task.columns.joined(separator: ", "))]")
        }
        switch task.answerSpace {
        case .classes(let answers):
            let pairs = zip(task.fileLabels, answers).map { "\"\($0)\": \"\($1)\"" }
            lines.append("    labels: {\(pairs.joined(separator: ", "))}")
        case .grades(let minimum, let maximum, let step, _):
            lines.append("    range: [\(minimum), \(maximum), \(step)]")
        case .texts: break
        }
        return lines.joined(separator: "\n")
    }
}
