package import Failures
import Foundation
import Tensors

/// The name under which others find the base of an adapter.
package struct BaseName: Sendable, Equatable {
    /// Where the name comes from.
    package enum Source: Sendable, Equatable {
        case option
        case configurationFile
        case cacheOfTheHub
        /// There is none, so the path stands for it.
        case path
    }

    /// A name on the hub, or an absolute path.
    package let text: String
    /// Where it comes from.
    package let source: Source

    /// The name of the model in a directory: the one that is given, that of `_name_or_path` in its `config.json`, or that of the
    /// hub's cache in which it is; else its absolute path.
    package init(ofModel directory: String, given: String?) throws(Failure) {
        if let given {
            (text, source) = (given, .option)
            return
        }
        struct Named: Decodable {
            var _name_or_path: String?
        }
        let content = try BoundedJSON.content(of: directory + "/config.json")
        if let name = (try? BoundedJSON.decode(Named.self, from: content))?._name_or_path, Self.isOfHub(name) {
            (text, source) = (name, .configurationFile)
            return
        }
        let path = URL(fileURLWithPath: directory).standardizedFileURL.path
        // models--ORGANISATION--NAME/snapshots/COMMIT
        let parts = path.split(separator: "/").map(String.init)
        if let place = parts.lastIndex(of: "snapshots"), place > 0, parts[place - 1].hasPrefix("models--") {
            let name = String(parts[place - 1].dropFirst("models--".count)).replacing("--", with: "/")
            if Self.isOfHub(name) {
                (text, source) = (name, .cacheOfTheHub)
                return
            }
        }
        (text, source) = (path, .path)
    }

    /// The name, unless it is only a path.
    package var published: String? { source == .path ? nil : text }

    /// A sentence for the user; nil where he chose the name himself.
    package var notice: String? {
        switch source {
        case .option: nil
        case .configurationFile: "the base is called \(text), as in its config.json; --base-name sets another name"
        case .cacheOfTheHub: "the base is called \(text), as in the hub's cache; --base-name sets another name"
        case .path:
            "the base has no name but its path \(text.shown); before you publish the export, write it with --base-name and the "
                + "name under which others find the base"
        }
    }

    /// Whether a text is `name` or `organisation/name`.
    private static func isOfHub(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { part in
                !part.isEmpty && !part.hasPrefix(".")
                    && part.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                            || "-_.".utf8.contains(byte)
                    }
            }
    }
}
