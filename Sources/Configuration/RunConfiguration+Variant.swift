import Foundation
import OrderedCollections

extension RunConfiguration {
    /// A run like this one with another seed, or for some of its tasks with as many steps as these have in it.
    ///
    /// - Parameters:
    ///   - names: the tasks to keep; nil for all.
    ///   - share: the part of the steps that the run makes, at least one step. The warmup and the distance between evaluations
    ///     shrink alike, so that a shorter run chooses its best checkpoint among as many.
    ///   - cache: the directory of the token cache, unless the configuration names one.
    ///   - seed: the seed; nil for the same.
    ///   - origin: `init.from`; nil for the same.
    package func variant(
        tasks names: [String]? = nil, share: Double = 1, cache: String? = nil, seed: Int? = nil, origin: String? = nil
    ) -> RunConfiguration {
        var values = values
        if let names, case .list(let items)? = values["tasks"] {
            values["tasks"] = .list(items.filter { names.contains(Self.name(ofTask: $0)) })
        }
        func part(_ count: Int) -> Int { Int((Double(count) * share).rounded()) }
        let steps = max(1, part(steps))
        values["train.steps"] = .integer(steps)
        values["lr.warmup"] = .integer(min(steps, part(warmup)))
        if let evaluateEvery { values["eval.every"] = .integer(max(1, part(evaluateEvery))) }
        if let cache, self.cache == nil { values["data.cache"] = .text(cache) }
        if let seed { values["train.seed"] = .integer(seed) }
        if let origin { values["init.from"] = .text(origin) }
        return RunConfiguration(values: values, warnings: warnings, relativePaths: relativePaths)
    }

    /// The same run with its model in another place; a relative path is relative to the working directory.
    package func placing(model path: String) -> RunConfiguration {
        var values = values
        values["model"] = .text(Key.absolute(path, FileManager.default.currentDirectoryPath))
        return RunConfiguration(values: values, warnings: warnings, relativePaths: relativePaths)
    }

    private static func name(ofTask value: Value) -> String {
        switch value {
        case .text(let name): name
        case .mapping(let parts): if case .text(let name)? = parts["name"] { name } else { "" }
        default: ""
        }
    }
}
