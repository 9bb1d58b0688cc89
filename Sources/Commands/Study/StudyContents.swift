import Backbone
import Backbones
import Configuration
import Failures
import Runs
import Studies
import Tasks
import Tensors
import Text
import Training

/// What the models and the task files of a study contain now, to find runs that were made from others. Each file is read once,
/// and not before a run is there that it is compared with.
final class StudyContents {
    private struct Model {
        var backbone: String
        var vocabulary: String
    }

    /// By directory; nil for a model that cannot be read.
    private var models: [String: Model?] = [:]
    /// By path.
    private var files: [String: ContentDigest] = [:]

    /// The first change since a run was made, as a part of a sentence; nil for none. Files that cannot be read are left to the runs
    /// that need them.
    func change(of run: StudyRun, since made: RunState.Identity) -> String? {
        guard let model = model(run.configuration.model), let sources = try? sources(run.configuration) else {
            return nil
        }
        return made.change(backbone: model.backbone, vocabulary: model.vocabulary, sources: sources)
    }

    private func model(_ directory: String) -> Model? {
        if let known = models[directory] { return known }
        let model = try? read(directory)
        models[directory] = .some(model)
        return model
    }

    private func read(_ directory: String) throws(Failure) -> Model {
        let shape = try Backbones.shape(directory: directory)
        return Model(
            backbone: try Backbones.check(directory: directory).hexadecimal,
            vocabulary: try RunModel.openVocabulary(directory, shape, isNew: false).digest.hexadecimal)
    }

    private func sources(_ configuration: RunConfiguration) throws(Failure) -> [TaskSources] {
        let definitions = try configuration.definitions()
        for path in definitions.flatMap(\.paths) where files[path] == nil {
            files[path] = try ContentDigest.of(file: path)
        }
        return definitions.map { definition in TaskSources(definition) { files[$0]! } }
    }
}
