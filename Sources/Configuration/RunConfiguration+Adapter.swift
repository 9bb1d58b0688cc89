package import Failures
import Yams

extension RunConfiguration {
    /// What decides the answers of the run's adapter, as YAML: the keys that decide the result, and the generation budget. It names
    /// no path.
    package var adapterText: String {
        resultText + "\neval.maxNewTokens: \(maxNewTokens.map(String.init) ?? "null")"
    }

    /// The configuration of a run with this `adapterText`, for answering only: it has no files of tasks.
    ///
    /// - Parameters:
    ///   - file: what the text was read from, for messages.
    ///   - model: the directory of the model.
    package static func answering(
        _ adapterText: String, from file: String, model: String
    ) throws(Failure) -> RunConfiguration {
        guard var keys = try YAMLFile.mapping(adapterText, name: file, reference: "docs/predict.md") else {
            throw Failure(.badData, "\(file): it has no configuration")
        }
        // Nothing reads from these places.
        let nowhere = Node("/")
        if var tasks = keys["tasks"]?.sequence {
            for index in tasks.indices {
                guard var task = tasks[index].mapping else { continue }
                task["train"] = nowhere
                tasks[index] = Node.mapping(task)
            }
            keys["tasks"] = Node.sequence(tasks)
        }
        keys["data.glue"] = nowhere
        if keys["init.newTask"] != nil { keys["init.from"] = nowhere }
        let settings = try Settings(keys, name: file, directory: "/", isShared: true)
        return try load(yaml: "model: /", name: file, directory: "/", isOwn: false, settings: [settings])
            .placing(model: model)
    }
}
