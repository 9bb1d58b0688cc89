import Failures

/// A key of earlier versions that has been split into several keys. It is still read, as a setting of these.
struct FormerKey: Sendable {
    /// A key of today with a value, as text.
    typealias Setting = (path: String, value: String)

    /// The path of the former key, e.g. `model.precision`.
    let path: String
    /// The values that it may have, in the words and order of the earlier version, and the meaning of each.
    let meanings: [(value: String, settings: [Setting])]

    /// The keys into which it was split.
    var successors: [String] { meanings.first?.settings.map(\.path) ?? [] }

    /// The meaning of a value; nil for a value that it never had.
    func settings(for value: String) -> [Setting]? { meanings.first { $0.value == value }?.settings }

    /// The meaning of a leaf of this key; refuses a value that it never had.
    func settings(_ leaf: Layer.Leaf) throws(Failure) -> [Setting] {
        let key = Key(path, .choice(meanings.map(\.value)), nil, "")
        guard case .text(let value) = try key.read(leaf, directory: ""), let settings = settings(for: value) else {
            preconditionFailure("a choice has a meaning")
        }
        return settings
    }

    /// Tells the user what to write instead, if he gave a successor by this key.
    func notice(_ leaves: [Layer.Leaf]) -> String? {
        guard let leaf = leaves.last(where: { $0.formerValue != nil }) else { return nil }
        let settings = (settings(for: leaf.formerValue ?? "") ?? []).map { "\($0.path): \($0.value)" }
        return "\(leaf.place): \(path) is the earlier name of \(successors.joined(separator: " and ")); write "
            + "\(settings.joined(separator: " and ")) in its place"
    }

    /// Refuses this key beside a successor: all leaves of the successor that the user gave must be of one kind.
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

    /// The former key from which a key of today comes.
    static func formerKey(of successor: String) -> FormerKey? { formerKeys.first { $0.successors.contains(successor) } }

    /// Whether a path names a key of today or of an earlier version.
    static func isKnown(_ path: String) -> Bool { byPath[path] != nil || formerKey(path) != nil }
}
