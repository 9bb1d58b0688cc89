import Foundation

extension RunConfiguration {
    /// The values for a file in `directory`: the paths of what lies inside it begin there.
    func relativeValues(to directory: String) -> [String: Value] {
        let root = URL(fileURLWithPath: directory, isDirectory: true).standardizedFileURL.path
        func relative(_ value: Value) -> Value {
            guard case .text(let path) = value, path.hasPrefix(root + "/") else { return value }
            let rest = path.dropFirst(root.count + 1)
            // A tilde at the beginning would stand for the user's home.
            return rest.isEmpty || rest.hasPrefix("~") ? value : .text(String(rest))
        }
        var values = values
        for key in KeyTable.keys where key.kind.isPath { values[key.path] = values[key.path].map(relative) }
        if let tasks = values["tasks"] { values["tasks"] = TaskReading.mappingPaths(of: tasks, relative) }
        return values
    }
}
