package import Failures
package import Yams

/// The text of a YAML file whose root is a mapping.
package enum YAMLFile {
    /// The root; nil for an empty file. `name` is the file's name in messages, `reference` the document that describes the file.
    package static func mapping(
        _ yaml: String, name: String, reference: String
    ) throws(Failure) -> Node.Mapping? {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw explain(error, name, yaml)
        }
        guard let root else { return nil }
        guard let mapping = root.mapping else {
            throw Failure(.badConfiguration, "\(name): the file must be a mapping of keys; see \(reference)")
        }
        return mapping
    }

    private static func explain(_ error: any Error, _ name: String, _ yaml: String) -> Failure {
        switch error {
        case YamlError.duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let first = context.mark.line
            let second = repetition(of: key, after: context.mark, in: yaml)
            let earlier = second == nil ? "" : ", first in line \(first)"
            return Failure(
                .badConfiguration, "\(name):\(second ?? first): key \(key) is there twice\(earlier); keep one of them")
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            return Failure(.badConfiguration, "\(name):\(mark.line): not valid YAML (\(problem)); correct this line")
        default:
            return Failure(.badConfiguration, "\(name): not valid YAML; check its encoding and structure")
        }
    }

    /// The line, from 1, that repeats the key in the column of `mark`. The parser only reports the key's first position.
    private static func repetition(of key: String, after mark: Mark, in yaml: String) -> Int? {
        let lines = yaml.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return lines.indices.dropFirst(mark.line).first { index in
            let indentation = lines[index].prefix { $0 == " " }.count
            let content = lines[index].dropFirst(indentation).filter { $0 != "\"" && $0 != "'" }
            return indentation == mark.column - 1 && content.hasPrefix(key)
                && content.dropFirst(key.count).drop { $0 == " " }.first == ":"
        }.map { $0 + 1 }
    }
}
