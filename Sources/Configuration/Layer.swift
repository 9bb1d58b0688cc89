import Failures
import Yams

/// Values from one source, each with the place that a refusal names.
struct Layer {
    /// A value as YAML gave it.
    struct Leaf {
        let node: Node
        /// `run.yaml:12`, `--set lora.rank=x` or the like.
        let place: String
    }

    /// Key path to value.
    private(set) var leaves: [String: Leaf] = [:]

    /// Reads a YAML text; `name` is the file in messages. Unknown and doubled keys are refused.
    init(yaml: String, name: String) throws(Failure) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw Self.explain(error, name)
        }
        guard let root else { return }
        guard let mapping = root.mapping else {
            throw Failure(.badConfiguration, "\(name): the file must be a mapping of keys; see docs/configuration.md")
        }
        try add(mapping, prefix: "", name: name)
    }

    /// Reads one `--set key=value`.
    init(assignment: String) throws(Failure) {
        let place = "--set \(assignment)"
        guard let equals = assignment.firstIndex(of: "=") else {
            throw Failure(.usage, "\(place): write --set key=value, e.g. --set lora.rank=4")
        }
        let path = String(assignment[..<equals])
        guard KeyTable.byPath[path] != nil else { throw Self.unknown(path, place) }
        let text = String(assignment[assignment.index(after: equals)...])
        do {
            leaves[path] = Leaf(node: try Yams.compose(yaml: text) ?? Node("null"), place: place)
        } catch {
            throw Failure(.badConfiguration, "\(place): the value is not YAML; quote it if it holds special characters")
        }
    }

    private mutating func add(_ mapping: Node.Mapping, prefix: String, name: String) throws(Failure) {
        for (key, node) in mapping {
            let place = key.mark.map { "\(name):\($0.line)" } ?? name
            guard let text = key.string else {
                throw Failure(.badConfiguration, "\(place): a key must be text; see docs/configuration.md")
            }
            let path = prefix + text
            if KeyTable.byPath[path] != nil {
                leaves[path] = Leaf(node: node, place: place)
            } else if prefix.isEmpty, KeyTable.sections.contains(where: { $0.name == text }) {
                if let section = node.mapping {
                    try add(section, prefix: text + ".", name: name)
                } else if node.string != "" && node.string != "null" {
                    throw Failure(.badConfiguration, "\(place): \(text) is a section; indent its keys below it")
                }
            } else {
                throw Self.unknown(path, place)
            }
        }
    }

    private static func unknown(_ path: String, _ place: String) -> Failure {
        let section = path.contains(".") ? path.prefix { $0 != "." } + "." : ""
        var known = KeyTable.keys.map(\.path).filter { section.isEmpty || $0.hasPrefix(section) }
        if section.isEmpty { known = known.filter { !$0.contains(".") } + KeyTable.sections.map(\.name).dropFirst() }
        if known.isEmpty { known = KeyTable.sections.map(\.name).dropFirst() + [] }
        let nearest = KeyTable.keys.map(\.path).min { distance($0, path) < distance($1, path) }
        let hint = nearest.flatMap { distance($0, path) <= 3 ? "; did you mean \($0)?" : nil } ?? ""
        return Failure(
            .badConfiguration, "\(place): key \(path) is unknown\(hint); allowed here: \(known.joined(separator: ", "))"
        )
    }

    private static func explain(_ error: any Error, _ name: String) -> Failure {
        switch error {
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "\($0)" }.joined(separator: ", ")
            return Failure(
                .badConfiguration, "\(name):\(context.mark.line): key \(keys) is there twice; keep one of them")
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            return Failure(.badConfiguration, "\(name):\(mark.line): not valid YAML (\(problem)); mend this line")
        default:
            return Failure(.badConfiguration, "\(name): not valid YAML; check its encoding and structure")
        }
    }

    /// Levenshtein distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let (x, y) = (Array(a), Array(b))
        var row = Array(0...y.count)
        for i in 0..<x.count {
            var diagonal = row[0]
            row[0] = i + 1
            for j in 0..<y.count {
                let substitution = diagonal + (x[i] == y[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, diagonal + 1, row[j] + 1)
            }
        }
        return row[y.count]
    }
}

extension Layer {
    /// A default as a leaf.
    static func standard(_ key: Key, _ text: String) throws(Failure) -> Leaf {
        do {
            return Leaf(node: try Yams.compose(yaml: text) ?? Node("null"), place: "default of \(key.path)")
        } catch {
            throw Failure(.internal, "the default of \(key.path) is not YAML")
        }
    }
}
