import Tensors

/// The parts of a list of rows that are drawn as wholes: the rows of each group, or single rows.
struct DrawnUnits {
    /// The number of parts.
    let count: Int
    /// The positions of each part's rows; nil when each row is a part.
    private let members: [[Int]]?

    /// The parts of rows of these files, in the order in which they begin.
    init(_ rows: [RowID], _ files: [IndexedFile]) {
        guard rows.contains(where: { !files[$0.file].groups.isEmpty }) else {
            (count, members) = (rows.count, nil)
            return
        }
        var numbers: [ContentDigest: Int] = [:]
        var members: [[Int]] = []
        for (position, id) in rows.enumerated() {
            let group = files[id.file].groups[id.row]
            if let number = numbers[group] {
                members[number].append(position)
            } else {
                numbers[group] = members.count
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
