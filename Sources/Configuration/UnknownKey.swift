import Failures

/// Refuses a key that is not in the table and suggests the key that the user may have meant.
public enum UnknownKey {
    /// The refusal of `path` at `place`.
    static func refusal(_ path: String, _ place: String) -> Failure {
        let hint = suggestion(for: path).map { "; did you mean \($0)?" } ?? ""
        return Failure(
            .badConfiguration,
            "\(place): key \(path) is unknown\(hint); allowed here: \(allowed(beside: path).joined(separator: ", "))")
    }

    /// The most similar known key. In this order: a typing error below the same key, a known key that the path continues, a key
    /// with the same last name elsewhere, a typing error in the same section, a typing error in any key.
    static func suggestion(for path: String) -> String? {
        let known = KeyTable.keys.map(\.path)
        if let dot = path.lastIndex(of: "."), KeyTable.byPath[String(path[..<dot])] != nil,
            let near = nearest(to: lastName(path), among: known.filter { $0.hasPrefix(path[...dot]) }, by: lastName)
        {
            return near
        }
        if let whole = known.first(where: { path.hasPrefix($0 + ".") }) { return whole }
        let name = lastName(path)
        let same = known.filter { lastName($0) == name }
        if same.count == 1 { return same[0] }
        let section = known.filter { RunConfiguration.section($0) == RunConfiguration.section(path) }
        if let near = nearest(to: name, among: section, by: lastName) { return near }
        return nearest(to: path, among: known) { $0 }
    }

    private static func allowed(beside path: String) -> [String] {
        let section = RunConfiguration.section(path)
        let siblings = KeyTable.keys.map(\.path).filter { RunConfiguration.section($0) == section }
        let sections = KeyTable.sections.map(\.name).filter { !$0.isEmpty }
        if section.isEmpty { return siblings + sections }
        return siblings.isEmpty ? sections : siblings
    }

    private static func lastName(_ path: String) -> String { path.split(separator: ".").last.map(String.init) ?? "" }

    /// The candidate at the smallest distance, if that can be a typing error: at most a third of the letters, and at least one.
    public static func nearest(to word: String, among candidates: [String], by name: (String) -> String) -> String? {
        let ranked = candidates.map { ($0, distance(word.lowercased(), name($0).lowercased())) }
        guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(1, word.count / 3) else { return nil }
        return best.0
    }

    /// Edit distance; a swap of neighbours counts once (optimal string alignment).
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var older: [Int] = []
        var previous = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, older[j - 1] + 1) }
                row.append(least)
            }
            (older, previous) = (previous, row)
        }
        return previous[b.count]
    }
}
