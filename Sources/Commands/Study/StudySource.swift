import Adapters
import Backbone
import Backbones
import Configuration
import Failures
import Foundation
import Runs
import Studies
import Tasks
import Tensors
import Training

/// Reads what a study needs besides its own file: the run that it changes, and its tasks and model.
final class StudySource {
    private let path: String
    private let overrides: [String]
    /// Sizes of the tasks that were read so far.
    private var known: [(definitions: [TaskDefinition], options: ReadingOptions, sizes: [TaskSize])] = []

    init(_ path: String, overrides: [String]) {
        self.path = path
        self.overrides = overrides
    }

    /// Reads the study. `example` is a directory in which the embedded example is, or is written if the study needs it; `cache`
    /// is the token cache that the runs share.
    func load(example: String, cache: String?) throws(Failure) -> Study {
        let file = try StudyFile.load(path)
        return try Study(file, base: try base(file, example: example), overrides: overrides, cache: cache) {
            configuration throws(Failure) in try self.sizes(configuration)
        }
    }

    private func base(_ file: StudyFile, example: String) throws(Failure) -> Study.BaseText {
        let (path, isOwn): (String, Bool)
        switch file.base {
        case .inline: return Study.BaseText(yaml: "", name: file.name, directory: file.directory, isOwn: true)
        case .file(let run): (path, isOwn) = (run, true)
        case .embedded:
            try EmbeddedExample.prepare(in: RunDirectory(example))
            (path, isOwn) = (EmbeddedExample.path(in: RunDirectory(example)), false)
        }
        guard let data = FileManager.default.contents(atPath: path), let yaml = String(data: data, encoding: .utf8)
        else {
            throw Failure(
                .inputMissing, "\(file.name): the run \(path) cannot be read as UTF-8 text; check the key run")
        }
        return Study.BaseText(
            yaml: yaml, name: path, directory: URL(fileURLWithPath: path).deletingLastPathComponent().path, isOwn: isOwn
        )
    }

    /// The sizes of a configuration's tasks. Equal tasks are read once.
    private func sizes(_ configuration: RunConfiguration) throws(Failure) -> [TaskSize] {
        let (definitions, options) = (try configuration.definitions(), configuration.readingOptions)
        if let found = known.first(where: { $0.definitions == definitions && $0.options == options }) {
            return found.sizes
        }
        var sizes: [TaskSize] = []
        for definition in definitions {
            let examples = try TaskExamples(definition, options: options)
            sizes.append(
                TaskSize(
                    name: definition.name, training: examples.count(.train), hasTest: examples.count(.test) > 0,
                    metrics: definition.metrics.map(\.rawValue)))
        }
        known.append((definitions, options, sizes))
        return sizes
    }

    /// What the lines of a study train, from the shapes of their models.
    static func counts(_ study: Study) throws(Failure) -> [StudyTable.Counts] {
        try study.lines.indices.map { line throws(Failure) in
            var trainable: [Int] = []
            var (backbone, bytes, tasks) = (0, 0, 0)
            for run in study.runs where run.line == line && run.seed == study.file.seeds[0] {
                let configuration = run.configuration
                let shape = try Backbones.shape(directory: configuration.model)
                let method = try configuration.method(
                    shape, isNew: true, newTasks: configuration.newTasks()
                ).method
                let memory = try RankMemory(
                    configuration, shape: shape, method: method, threads: 1, longestTarget: 1, batches: nil)
                trainable.append(method.trained.count)
                backbone = shape.weightCount
                tasks += configuration.tasks.count
                bytes = max(bytes, memory.wireBytes(tasks: configuration.tasks.count))
            }
            return StudyTable.Counts(trainable: trainable, backbone: backbone, tasks: tasks, bytesPerStep: bytes)
        }
    }
}
