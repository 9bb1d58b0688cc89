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

    /// Reads the study. `example` is a directory in which the embedded example is, or is written if the study needs it; `runs`
    /// is the directory of the run directories, `cache` the token cache that the runs share.
    func load(example: String, runs: String, cache: String?) throws(Failure) -> Study {
        let file = try StudyFile.load(path)
        let study = try Study(
            file, base: try base(file, example: example), overrides: overrides, directory: runs, cache: cache
        ) { configuration throws(Failure) in try self.sizes(configuration) }
        try Self.checkOrigins(study)
        return study
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

    /// Refuses rows that cannot begin with the adapters of the row that they name, with file and line.
    private static func checkOrigins(_ study: Study) throws(Failure) {
        for line in study.lines.indices {
            guard let origin = study.origin(of: line),
                let place = study.file.row(study.lines[line].row)?.origin?.place
            else { continue }
            let (own, other) = (study.lines[line].configuration, study.lines[origin].configuration)
            let start =
                "\(place): \(study.lines[line].title) cannot begin from \(study.lines[origin].title), "
            guard own.model == other.model else {
                throw Failure(
                    .badConfiguration,
                    start + "whose model is another (\(other.model), not \(own.model)); give both rows one model")
            }
            guard own.method != "frozen" || other.method != "frozen" else {
                throw Failure(.badConfiguration, start + "since method frozen trains nothing; use another method")
            }
            let known = Set(other.tasks.map(\.name))
            let runs = study.runs.filter { $0.line == line }
            guard
                !own.trainsOnlyNewTasks
                    || runs.allSatisfy({ run in run.configuration.tasks.contains { !known.contains($0.name) } })
            else {
                throw Failure(
                    .badConfiguration,
                    start
                        + "which has all tasks of a run, so hyper.onlyNewTasks leaves none to train; add a task, or remove the key"
                )
            }
            let shape = try Backbones.shape(directory: own.model)
            func adapter(_ configuration: RunConfiguration) throws(Failure) -> AdapterConfiguration {
                try configuration.method(shape, isNew: true).configuration(of: configuration.definitions())
            }
            let reason: String
            switch try OriginMisfit.between(adapter(other), and: adapter(own)) {
            case nil, .vocabulary: continue
            case .method(let name):
                reason = "whose method is \(name), not \(own.method); give both rows one method"
            case .option(let key): reason = "whose adapter differs in \(key); give both rows the same value"
            case .answers(let task):
                reason = "where task \(task) has other answers; give both rows the same labels in the same order"
            }
            throw Failure(.badConfiguration, start + reason)
        }
    }

    /// Refuses runs whose products this machine or this build cannot compute. Those that are finished need no products any more, so a
    /// table can be written on another machine.
    static func checkProducts(_ study: Study, in directory: StudyDirectory? = nil) throws(Failure) {
        for run in study.runs
        where directory.flatMap({ RunStatus.read($0.run(run)) })?.state != .finished {
            _ = try naming(run.line, of: study) { () throws(Failure) in try ProductBackend(run.configuration) }
        }
    }

    /// Does something with the configuration of a line; a refusal then names the row, with file and line.
    static func naming<Value>(
        _ line: Int, of study: Study, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        do throws(Failure) {
            return try body()
        } catch {
            let line = study.lines[line]
            let place = study.file.row(line.row)?.place ?? study.file.name
            throw Failure(error.code, "\(place): row \(line.title): \(error.message)")
        }
    }

    /// The tasks that the run's origin does not have, if only these are trained of the hypernetwork; else nil. An origin in the
    /// study need not be trained yet, and a run that has begun in `directory` needs its origin no more.
    static func newTasks(
        of run: StudyRun, in study: Study, _ directory: StudyDirectory? = nil
    ) throws(Failure) -> [String]? {
        let configuration = run.configuration
        guard configuration.trainsOnlyNewTasks else { return nil }
        if let begun = directory.flatMap({ RunState.last(of: $0.run(run)) }) { return begun.identity.newTasks }
        guard let origin = study.origin(of: run.line) else { return try configuration.newTasks() }
        let known = Set(study.lines[origin].configuration.tasks.map(\.name))
        return configuration.tasks.map(\.name).filter { !known.contains($0) }
    }

    /// What the lines of a study train, from the shapes of their models.
    static func counts(_ study: Study, in directory: StudyDirectory) throws(Failure) -> [StudyTable.Counts] {
        try study.lines.indices.map { line throws(Failure) in
            var trainable: [Int] = []
            var (backbone, bytes, tasks) = (0, 0, 0)
            for run in study.runs where run.line == line && run.seed == study.file.seeds[0] {
                let configuration = run.configuration
                let (shape, memory) = try naming(line, of: study) { () throws(Failure) in
                    let shape = try Backbones.shape(directory: configuration.model)
                    let method = try configuration.method(
                        shape, isNew: true, newTasks: newTasks(of: run, in: study, directory)
                    ).method
                    let memory = try RankMemory(
                        configuration, shape: shape, method: method, threads: 1, longestTarget: 1, batches: nil)
                    return (shape, memory)
                }
                trainable.append(memory.trainables)
                backbone = shape.weightCount
                tasks += configuration.tasks.count
                bytes = max(bytes, memory.wireBytes(tasks: configuration.tasks.count))
            }
            return StudyTable.Counts(trainable: trainable, backbone: backbone, tasks: tasks, bytesPerStep: bytes)
        }
    }
}
