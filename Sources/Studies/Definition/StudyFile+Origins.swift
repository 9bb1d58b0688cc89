import Configuration
import Failures

/// Rows whose runs begin with the adapters of another row's runs.
extension StudyFile {
    /// The key of a run that `from` sets.
    static let originKey = "init.from"

    /// Refuses an origin that is no row, that has no single adapter, or that goes back to the row itself, and a second origin
    /// beside `from`.
    func checkOrigins() throws(Failure) {
        for row in rows {
            guard let origin = row.origin else { continue }
            let start = "\(origin.place): row \(row.name) begins from \(origin.name), "
            guard let found = self.row(origin.name) else {
                let names = rows.map(\.name).filter { $0 != row.name }
                let hint =
                    UnknownKey.nearest(to: origin.name, among: names) { $0 }.map { "; did you mean \($0)?" } ?? ""
                throw Failure(
                    .badConfiguration,
                    start + "which is no row of this study\(hint) (\(names.joined(separator: "; ")))")
            }
            guard found.tasks != .each else {
                throw Failure(
                    .badConfiguration,
                    start + "which has a run and an adapter for each task; name a row with one run for all its tasks")
            }
            var (chain, next) = ([row.name], row.origin?.name)
            while let name = next {
                guard !chain.contains(name) else {
                    throw Failure(
                        .badConfiguration,
                        start + "but rows that wait for one another never begin "
                            + "(\((chain + [name]).joined(separator: ", from "))); remove one of these keys from")
                }
                chain.append(name)
                next = self.row(name)?.origin?.name
            }
            if let place = row.settings?.place(of: Self.originKey) {
                throw Failure(
                    .badConfiguration,
                    "\(place): row \(row.name) has \(Self.originKey) and the key from; remove one of them")
            }
        }
        guard let row = rows.first(where: { $0.origin != nil }) else { return }
        for axis in axes where axis.key == Self.originKey {
            throw Failure(
                .badConfiguration,
                "\(axis.place): grid varies \(Self.originKey), and row \(row.name) has the key from; remove one of them"
            )
        }
    }

    /// The row with a name.
    package func row(_ name: String) -> Row? { rows.first { $0.name == name } }

    /// How many rows must have finished before a row can begin.
    func depth(of row: Row) -> Int {
        var (depth, next) = (0, row.origin?.name)
        while let name = next {
            depth += 1
            next = self.row(name)?.origin?.name
        }
        return depth
    }
}
