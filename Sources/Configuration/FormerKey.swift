import Failures
import Yams

/// A key of earlier versions that has become several. It is still read, as these.
struct FormerKey: Sendable {
    /// A value of a key of today, in its words.
    typealias Setting = (path: String, value: String)

    /// Its path, e.g. `model.precision`.
    let path: String
    /// What it may hold, in words and order of the earlier version, and what each of these means.
    let meanings: [(value: String, settings: [Setting])]

    /// The keys that it has become.
    var successors: [String] { meanings.first?.settings.map(\.path) ?? [] }

    /// What a value of it means; nil for one that it never had.
    func settings(for value: String) -> [Setting]? { meanings.first { $0.value == value }?.settings }

    /// What a leaf of it means; refuses a value that it never had.
    func settings(_ leaf: Layer.Leaf) throws(Failure) -> [Setting] {
        let key = Key(path, .choice(meanings.map(\.value)), nil, "")
        guard case .text(let value) = try key.read(leaf, directory: ""), let settings = settings(for: value) else {
            preconditionFailure("a choice has a meaning")
        }
        return settings
    }

    /// Tells the user what to write in its place, where one of his leaves of a successor was given by it.
    func notice(_ leaves: [Layer.Leaf]) -> String? {
        guard let leaf = leaves.last(where: { $0.formerValue != nil }) else { return nil }
        let settings = (settings(for: leaf.formerValue ?? "") ?? []).map { "\($0.path): \($0.value)" }
        return "\(leaf.place): \(path) is the earlier name of \(successors.joined(separator: " and ")); write "
            + "\(settings.joined(separator: " and ")) in its place"
    }

    /// Refuses it beside a successor: the leaves of that, as the user gave them, must be all of one kind.
    func refuseMixture(_ successor: String, _ leaves: [Layer.Leaf]) throws(Failure) {
        guard let former = leaves.first(where: { $0.formerValue != nil }),
            let present = leaves.first(where: { $0.formerValue == nil })
        else { return }
        throw Failure(
            .badConfiguration,
            "\(present.place): \(successor) cannot be given beside its earlier name \(path) (\(former.place)); remove "
                + "\(path), and write \(successors.joined(separator: " and "))")
    }
}

extension KeyTable {
    /// Keys of earlier versions.
    static let formerKeys = [
        FormerKey(
            path: "model.precision",
            meanings: [
                ("float32", [("model.storage", "float32"), ("model.products", "float32")]),
                ("bfloat16", [("model.storage", "bfloat16"), ("model.products", "float32")]),
                ("int8", [("model.storage", "float32"), ("model.products", "int8")]),
                ("int8Forward", [("model.storage", "float32"), ("model.products", "int8Forward")]),
                ("int8Backward", [("model.storage", "float32"), ("model.products", "int8Backward")]),
            ])
    ]

    static func formerKey(_ path: String) -> FormerKey? { formerKeys.first { $0.path == path } }

    /// The one that a key of today has come from.
    static func formerKey(of successor: String) -> FormerKey? { formerKeys.first { $0.successors.contains(successor) } }

    /// Whether a path is that of a key, of today or of an earlier version.
    static func isKnown(_ path: String) -> Bool { byPath[path] != nil || formerKey(path) != nil }
}
