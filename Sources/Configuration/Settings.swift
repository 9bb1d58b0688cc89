package import Failures
import Foundation
package import Yams

/// Keys of a run that come from another place than the run's own file, each with the place to name in a refusal.
package struct Settings {
    /// Whom the keys speak for.
    enum Kind {
        /// Several runs, perhaps of different methods: like a file's, they do nothing for methods without these keys.
        case shared
        /// This run.
        case own
        /// This run, by an option of a command.
        case option
    }

    let layer: Layer
    /// Relative paths are relative to this directory.
    let directory: String
    let kind: Kind

    init(_ layer: Layer, directory: String, kind: Kind) {
        self.layer = layer
        self.directory = directory
        self.kind = kind
    }

    /// Reads a part of the YAML file `name` that is like a run's file. Refuses unknown and repeated keys.
    package init(
        _ mapping: Node.Mapping, name: String, directory: String, isShared: Bool = false
    ) throws(Failure) {
        self.init(try Layer(mapping, name: name), directory: directory, kind: isShared ? .shared : .own)
    }

    /// One key with a value from a YAML file. Refuses an unknown key.
    package init(key: String, _ node: Node, place: String, directory: String) throws(Failure) {
        self.init(try Layer(key: key, node, place: place), directory: directory, kind: .own)
    }

    /// A `--set key=value` for several runs. Refuses an unknown key.
    package init(shared assignment: String) throws(Failure) {
        self.init(
            try Layer(assignment: assignment), directory: FileManager.default.currentDirectoryPath, kind: .shared)
    }

    /// The keys that are set.
    package var keys: [String] { layer.leaves.keys.sorted() }

    /// Where a key was given.
    package func place(of key: String) -> String? { layer.leaves[key]?.place }
}
