import Tensors

/// The parts of a list of rows that are drawn as wholes: the rows of each JSON object that has many, since they have a text in
/// common; otherwise the rows of each group, or single rows.
struct DrawnUnits {
    private enum Unit: Hashable {
        case group(ContentDigest)
        case object(file: Int, line: Int)
    }

    /// The number of parts.
    let count: Int
    /// The positions of each part's rows; nil when each row is a part.
    private let members: [[Int]]?

    /// The parts of rows of these files, which have this format, in the order in which they begin.
    init(_ rows: [RowID], _ files: [IndexedFile], _ format: TableFormat) {
        guard format.hasRowsInObjects || rows.contains(where: { !files[$0.file].groups.isEmpty }) else {
            (count, members) = (rows.count, nil)
            return
        }
        var numbers: [Unit: Int] = [:]
        var members: [[Int]] = []
        for (position, id) in rows.enumerated() {
            let file = files[id.file]
            let unit =
                format.hasRowsInObjects
                ? Unit.object(file: id.file, line: file.rows[id.row].position.line) : .group(file.groups[id.row])
            if let number = numbers[unit] {
                members[number].append(position)
            } else {
                numbers[unit] = members.count
                members.append([position])
            }
        }
        (count, self.members) = (members.count, members)
    }

    /// The number of rows of a part.
    func size(_ unit: UInt32) -> Int { members?[Int(unit)].count ?? 1 }

    /// The positions of the rows of some parts, in ascending order.
    func rows(_ units: some Sequence<UInt32>) -> [Int] {
        guard let members else { return units.sorted().map { Int($0) } }
        return units.flatMap { members[Int($0)] }.sorted()
    }
}
